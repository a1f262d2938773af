/**
 * The refusals of the resource manager: an HTTP status with `{"error": {"code", "message"}}`.
 *
 * Codes and wordings are Azure's where one is known; docs/local-azure.md lists those that are our own.
 */

export class ArmError extends Error {
  override readonly name = 'ArmError'
  readonly status: number
  readonly code: string
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.status = status
    this.code = code
    this.headers = headers
  }
}

/** The body that ARM wraps an error in. */
export function errorBody(error: ArmError): { error: { code: string; message: string } } {
  return { error: { code: error.code, message: error.message } }
}

/** 400 for a value in the body or path, in the words of the disk provider. */
export function invalidParameter(parameter: string, why?: string): ArmError {
  const detail = why === undefined ? '' : ` ${why}`
  return new ArmError(400, 'InvalidParameter', `The value of parameter ${parameter} is invalid.${detail}`)
}

/** 409 for something that the resource's present state forbids. */
export function notAllowed(message: string): ArmError {
  return new ArmError(409, 'OperationNotAllowed', message)
}

/** 409 for a PUT that names an existing resource but describes another one. */
export function changeNotAllowed(property: string): ArmError {
  return new ArmError(409, 'PropertyChangeNotAllowed', `Changing property '${property}' is not allowed.`)
}

/** 404 of a disk or snapshot. */
export function resourceNotFound(type: string, name: string, resourceGroup: string): ArmError {
  return new ArmError(
    404,
    'ResourceNotFound',
    `The Resource 'Microsoft.Compute/${type}/${name}' under resource group '${resourceGroup}' was not found. ` +
      'For more details please go to https://aka.ms/ARMResourceNotFoundFix',
  )
}

/** 400 for what Azure can do and the local Azure cannot (yet): never to be mistaken for a rule of Azure. */
export function notSupportedHere(what: string): ArmError {
  return new ArmError(400, 'NotSupportedByLocalAzure', `${what} is not supported by the local Azure.`)
}
