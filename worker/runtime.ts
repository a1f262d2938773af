/**
 * The process-wide Temporal runtime: JSON log lines on stderr and, where asked for, Prometheus metrics.
 *
 * Every line goes through `redact`, the last guard against a SAS in a log.
 */
import { DefaultLogger, Runtime, type LogEntry } from '@temporalio/worker'
import { redact } from '../domain/failures.ts'

/** Once per process, before the first worker. */
export function installRuntime(options: { readonly metricsAddress?: string }): void {
  Runtime.install({
    logger: new DefaultLogger('INFO', writeLogLine),
    telemetryOptions: {
      logging: { filter: { core: 'WARN', other: 'WARN' }, forward: {} },
      ...(options.metricsAddress !== undefined && {
        metrics: { prometheus: { bindAddress: options.metricsAddress, countersTotalSuffix: true } },
      }),
    },
  })
}

function writeLogLine({ level, timestampNanos, message, meta }: LogEntry): void {
  const at = new Date(Number(timestampNanos / 1_000_000n)).toISOString()
  const fields = JSON.stringify({ at, level, message, ...meta }, (_key, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value instanceof Error ? { name: value.name, message: value.message } : value,
  )
  process.stderr.write(`${redact(fields)}\n`)
}
