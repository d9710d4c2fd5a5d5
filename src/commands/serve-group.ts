import type { CommandLine } from './command-line.ts';
import { milliseconds, portNumber, processNumber } from './numbers.ts';
import type { GlobalFlags } from './options.ts';
import type { ServeOptions } from './serve.ts';

/** The command that answers requests until it is ended. */
export function addServeCommand({ program, context }: CommandLine): void {
  program
    .command('serve [bundles...]')
    .description('answer requests with the predictions of one or more bundles, over HTTP and gRPC')
    .option('--config <file>', 'settings file, read again on SIGHUP; flags win')
    .option('--host <address>', 'address to listen on (default: 127.0.0.1)')
    .option('--port <number>', 'port for HTTP (default: 8080)', portNumber)
    .option('--grpc-port <number>', 'port for gRPC (default: 8081)', portNumber)
    .option('--no-grpc', 'listen for HTTP only')
    .option('--processes <number>', 'processes that answer, or auto for one per core (default: 1)', processNumber)
    .option('--providers <list>', 'execution providers to try, comma-separated')
    .option('--require-gpu', 'refuse to serve on cpu')
    .option('--max-delay <duration>', 'longest wait for requests to share a run, e.g. 2ms (default: 0)', milliseconds)
    .option('--drain-lead <duration>', 'on SIGTERM, answer new requests this long (default: 5s)', milliseconds)
    .option('--drain-end <duration>', 'then wait this long for open requests (default: 20s)', milliseconds)
    .option('--origins <list>', 'origins that browsers may call from, comma-separated')
    .option('--token-file <file>', 'bearer tokens, one per line (or SCORE_BATCH_SERVE_TOKEN)')
    .option('--tls-cert <file>', 'PEM file with the certificate')
    .option('--tls-key <file>', 'PEM file with its private key')
    .option('--tls-client-ca <file>', 'PEM file with the authority that signs certificates of clients')
    .option('--allow-anyone', 'listen beyond loopback without tokens and without client certificates')
    .option('--no-metrics', 'do not answer GET /metrics')
    .action(async (bundles: string[], flags: ServeOptions) => {
      const { quiet, verbose } = program.opts<GlobalFlags>();
      const log = quiet ? 'warn' : verbose ? 'debug' : undefined;
      const { serveCommand } = await import('./serve.ts');
      await serveCommand(bundles, { ...flags, ...(log && { log }) }, context());
    });
}
