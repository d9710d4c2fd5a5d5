import { userInfo } from 'node:os';
import type { Audit } from './warehouse.ts';

/**
 * The requesting user: that of the warehouse's session, or this machine's user if the warehouse is a file.
 *
 * @returns undefined if unknown
 */
export async function sessionUser(sink: Pick<Audit, 'read'>): Promise<string | undefined> {
  return await sink.read(async ({ dialect, rows }) => {
    if (dialect.user === undefined) return machineUser();
    const [[user] = []] = await rows(`SELECT ${dialect.user} AS session_user_name`);
    return user ?? undefined;
  });
}

/** A container may run as a user without a name. */
function machineUser(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}
