import { ScoreBatchError, systemCode } from '../errors.ts';

/** The S3 client. @throws ScoreBatchError `configuration` if it is not installed */
export function loadS3(): Promise<typeof import('@aws-sdk/client-s3')> {
  // Its warning about Node 20 is for developers.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  return installed('@aws-sdk/client-s3', 's3', () => import('@aws-sdk/client-s3'));
}

/** The client of Google Cloud Storage. @throws ScoreBatchError `configuration` if it is not installed */
export function loadGcs(): Promise<typeof import('@google-cloud/storage')> {
  return installed('@google-cloud/storage', 'gs', () => import('@google-cloud/storage'));
}

async function installed<T>(name: string, scheme: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    if (systemCode(cause) !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new ScoreBatchError('configuration', `the package ${name}, which writes to ${scheme}://, is not installed`, {
      hint: `run \`npm install ${name}\`, or give the report a local path`,
      cause,
    });
  }
}
