/**
 * The environment of a stage that plays on this machine alone. The shell of an operator names an Azure, a Temporal and a
 * configuration; what plays here must neither reach them nor show them its credentials.
 */

/** What Azure's identity library, Temporal's clients and the product's own settings read. */
const SETTINGS = [
  /^AZURE_/,
  /^(IDENTITY|MSI|IMDS)_/,
  /^TEMPORAL_/,
  /^SNAPFERRY_(CONFIG|TASK_QUEUE|METRICS_ADDRESS|ALERT_COMMAND|RUN_DRILL_COMMANDS)$/,
  /^SNAPFERRY_(MAX|RESOURCE_MANAGER)_/,
]

/** For shells, which know no patterns: those of the identity library's credentials and of a Temporal elsewhere. */
const NAMES = [
  ...['AUTHORITY_HOST', 'CLIENT_CERTIFICATE_PASSWORD', 'CLIENT_CERTIFICATE_PATH', 'CLIENT_ID', 'CLIENT_SECRET', 'FEDERATED_TOKEN_FILE'].map((name) => `AZURE_${name}`),
  ...['PASSWORD', 'TENANT_ID', 'TOKEN_CREDENTIALS', 'USERNAME'].map((name) => `AZURE_${name}`),
  ...['API_KEY', 'NAMESPACE', 'PROFILE', 'TLS', 'TLS_CLIENT_CERT_PATH', 'TLS_CLIENT_KEY_PATH', 'TLS_SERVER_CA_CERT_PATH', 'TLS_SERVER_NAME'].map((name) => `TEMPORAL_${name}`),
]

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {NodeJS.ProcessEnv} without what names an Azure, a Temporal or a configuration
 */
export function closedEnvironment(env) {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !SETTINGS.some((pattern) => pattern.test(name))))
}

/**
 * @param {Record<string, string>} settings
 * @returns {string} lines for `source`: a shell that has read them has these settings and no others of the kind.
 */
export function shellLines(settings) {
  const exports = Object.entries(settings).map(([name, value]) => `export ${name}='${value}'\n`)
  return `unset ${NAMES.join(' ')}\n${exports.join('')}`
}
