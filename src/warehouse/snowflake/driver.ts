import { createRequire } from 'node:module';
import type snowflake from 'snowflake-sdk';
import { guard } from './guard.ts';
import { type HttpClient, retryHere } from './transport.ts';

export type Driver = typeof snowflake;

let loading: Promise<Driver> | undefined;

/** Loads the driver on first use: loading is slow, and most commands do not need it. */
export function loadDriver(): Promise<Driver> {
  loading ??= load();
  return loading;
}

async function load(): Promise<Driver> {
  // Otherwise the driver queries the metadata services of three clouds and sends its configuration to Snowflake.
  process.env.SNOWFLAKE_DISABLE_PLATFORM_DETECTION ??= 'true';
  process.env.SF_TELEMETRY_DISABLE_CONNECTION_SHAPE ??= 'true';
  process.env.SNOWFLAKE_DISABLE_MINICORE ??= 'true';
  // Its upload library warns about old Node versions; our `engines` field covers that.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  const { default: driver } = await import('snowflake-sdk');
  const silent = () => undefined;
  // The driver's own logger writes snowflake.log into the working folder.
  driver.configure({
    logLevel: 'OFF',
    customLogger: { error: silent, warn: silent, info: silent, debug: silent, trace: silent },
  });
  // Loaded like the driver (CommonJS) loads it: the only way to get the HTTP client instance that it uses.
  const http: { default: HttpClient } = createRequire(import.meta.url)('snowflake-sdk/dist/lib/http/axios_instance.js');
  guard(http.default);
  retryHere(http.default);
  return driver;
}
