/** Shows that a slow step is at work: on a terminal a line that counts the seconds, elsewhere a line every 15 s. */

const LOG_INTERVAL_MS = 15_000

/**
 * Runs `work` and shows `label` meanwhile on stderr. A step that takes no time prints nothing.
 *
 * @template Result
 * @param {string} label what is being done: "installing the dependencies"
 * @param {() => Promise<Result>} work
 * @returns {Promise<Result>}
 */
export async function slowStep(label, work) {
  const startedAt = Date.now()
  const display = process.stderr.isTTY ? startLine(label, startedAt) : startLog(label, startedAt)
  try {
    return await work()
  } finally {
    display.end()
  }
}

function startLine(label, startedAt) {
  const timer = setInterval(() => {
    process.stderr.write(`\r\x1b[2K${label} (${elapsed(startedAt)} so far)`)
  }, 1000)
  return {
    end() {
      clearInterval(timer)
      if (Date.now() - startedAt >= 1000) process.stderr.write(`\r\x1b[2K${label}: ${elapsed(startedAt)}\n`)
    },
  }
}

function startLog(label, startedAt) {
  const first = setTimeout(() => process.stderr.write(`${label}\n`), 1000)
  const timer = setInterval(() => process.stderr.write(`${label} (${elapsed(startedAt)} so far)\n`), LOG_INTERVAL_MS)
  return {
    end() {
      clearTimeout(first)
      clearInterval(timer)
      if (Date.now() - startedAt >= 1000) process.stderr.write(`${label}: ${elapsed(startedAt)}\n`)
    },
  }
}

/** `42s`, `1m20s`. */
function elapsed(startedAt) {
  const seconds = Math.round((Date.now() - startedAt) / 1000)
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${String(seconds % 60).padStart(2, '0')}s`
}
