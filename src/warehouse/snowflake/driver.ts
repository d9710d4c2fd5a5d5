import { createRequire } from 'node:module';
import type snowflake from 'snowflake-sdk';
import { guard } from './guard.ts';
import { type HttpClient, retryHere } from './transport.ts';

export type Driver = typeof snowflake;

let loading: Promise<Driver> | undefined;

/** The driver, loaded when the first connection needs it: that takes a moment, and most commands never do. */
export function loadDriver(): Promise<Driver> {
  loading ??= load();
  return loading;
}

async function load(): Promise<Driver> {
  // It would ask the metadata services of three clouds where it runs, and tell Snowflake how it was configured.
  process.env.SNOWFLAKE_DISABLE_PLATFORM_DETECTION ??= 'true';
  process.env.SF_TELEMETRY_DISABLE_CONNECTION_SHAPE ??= 'true';
  process.env.SNOWFLAKE_DISABLE_MINICORE ??= 'true';
  // What uploads for it warns of old versions of Node; that is for this package's `engines` to say.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  const { default: driver } = await import('snowflake-sdk');
  const silent = () => undefined;
  // Its own logger writes snowflake.log into the working folder.
  driver.configure({
    logLevel: 'OFF',
    customLogger: { error: silent, warn: silent, info: silent, debug: silent, trace: silent },
  });
  // As the driver itself loads it, which is CommonJS: there is no other way to the one client that it sends everything through.
  const http: { default: HttpClient } = createRequire(import.meta.url)('snowflake-sdk/dist/lib/http/axios_instance.js');
  guard(http.default);
  retryHere(http.default);
  return driver;
}
