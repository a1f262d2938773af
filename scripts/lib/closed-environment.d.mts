export function closedEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv
export function shellLines(settings: Readonly<Record<string, string>>): string
