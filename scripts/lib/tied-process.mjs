/**
 * Runs a program that ends with its starter: `tied-process.mjs PROGRAM ARGS…`.
 *
 * Its stdin is the tie. It closes when the starter lets go of it or dies, even by SIGKILL, and then the program is asked
 * to stop.
 */
import { spawn } from 'node:child_process'

const [program, ...args] = process.argv.slice(2)
const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'], windowsHide: true })
child.once('error', (error) => {
  process.stderr.write(`${error.message}\n`)
  process.exit(1)
})
child.once('exit', (code) => process.exit(code ?? 1))
process.stdin.once('end', () => child.kill('SIGTERM')).resume()
