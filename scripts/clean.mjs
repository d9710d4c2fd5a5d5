// A file that was removed from src must not live on in what is built of it.
import { rmSync } from 'node:fs';

for (const folder of ['dist', '.modules']) rmSync(new URL(`../${folder}`, import.meta.url), { recursive: true, force: true });
