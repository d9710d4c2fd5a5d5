import type { CommandLine } from './command-line.ts';
import { portNumber } from './numbers.ts';
import type { ServeFlags } from './serve.ts';

/** The command that answers requests until it is ended. */
export function addServeCommand({ program, context }: CommandLine): void {
  program
    .command('serve [bundles...]')
    .description('answer requests with the predictions of one or more bundles, over HTTP and gRPC')
    .option('--host <address>', 'address to listen on (default: 127.0.0.1)')
    .option('--port <number>', 'port for HTTP (default: 8080)', portNumber)
    .option('--grpc-port <number>', 'port for gRPC (default: 8081)', portNumber)
    .option('--no-grpc', 'listen for HTTP only')
    .option('--providers <list>', 'execution providers to try, comma-separated')
    .option('--require-gpu', 'refuse to serve on cpu')
    .action(async (bundles: string[], flags: ServeFlags) => {
      const { serveCommand } = await import('./serve.ts');
      await serveCommand(bundles, flags, context());
    });
}
