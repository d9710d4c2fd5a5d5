import { ScoreBatchError, systemCode } from '../errors.ts';

/** The parts in use of the optional package that sends mail. */
export interface MailPackages {
  readonly Connection: typeof import('nodemailer/lib/smtp-connection').default;
  readonly Composer: typeof import('nodemailer/lib/mail-composer').default;
}

/** @throws ScoreBatchError `configuration` if it is not installed */
export async function loadMailPackages(): Promise<MailPackages> {
  try {
    const [connection, composer] = await Promise.all([
      import('nodemailer/lib/smtp-connection'),
      import('nodemailer/lib/mail-composer'),
    ]);
    return { Connection: connection.default, Composer: composer.default };
  } catch (error) {
    if (systemCode(error) !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new ScoreBatchError('configuration', 'the package nodemailer, which sends mail, is not installed', {
      hint: 'install it with `npm install nodemailer@10`, or remove delivery.mail from the job file',
      cause: error,
    });
  }
}
