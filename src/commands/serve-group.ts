import type { CommandLine } from './command-line.ts';
import { milliseconds, portNumber, processNumber } from './numbers.ts';
import type { GlobalFlags } from './options.ts';
import type { ServeOptions } from './serve.ts';

/** The command that answers requests until it is ended. */
export function addServeCommand({ program, context }: CommandLine): void {
  program
    .command('serve [bundles...]')
    .description('serve predictions of one or more bundles over HTTP and gRPC')
    .option('--config <file>', 'settings file, read again on SIGHUP; flags override it')
    .option('--host <address>', 'address to listen on (default: 127.0.0.1)')
    .option('--port <number>', 'port for HTTP (default: 8080)', portNumber)
    .option('--grpc-port <number>', 'port for gRPC (default: 8081)', portNumber)
    .option('--no-grpc', 'listen for HTTP only')
    .option(
      '--processes <number>',
      'number of processes that answer requests, or auto for one per core (default: 1)',
      processNumber,
    )
    .option('--providers <list>', 'execution providers to try, comma-separated')
    .option('--require-gpu', 'refuse to serve on cpu')
    .option('--max-delay <duration>', 'longest wait for requests to share a run, e.g. 2ms (default: 0)', milliseconds)
    .option('--drain-lead <duration>', 'how long to answer new requests after SIGTERM (default: 5s)', milliseconds)
    .option('--drain-end <duration>', 'how long to wait for open requests after that (default: 20s)', milliseconds)
    .option('--origins <list>', 'origins that browsers may call from, comma-separated')
    .option('--token-file <file>', 'file with bearer tokens, one per line (or SCORE_BATCH_SERVE_TOKEN)')
    .option('--tls-cert <file>', 'PEM file with the certificate')
    .option('--tls-key <file>', 'PEM file with its private key')
    .option('--tls-client-ca <file>', 'PEM file with the CA that signs client certificates')
    .option('--allow-anyone', 'listen beyond loopback without tokens and without client certificates')
    .option('--no-metrics', 'do not answer GET /metrics')
    .action(async (bundles: string[], flags: ServeOptions) => {
      const { quiet, verbose } = program.opts<GlobalFlags>();
      const log = quiet ? 'warn' : verbose ? 'debug' : undefined;
      const { serveCommand } = await import('./serve.ts');
      await serveCommand(bundles, { ...flags, ...(log && { log }) }, context());
    });
}
