import type { BlobRequest } from './blob-request.ts'
import type { BlobServiceState } from './operation.ts'

/** Headers that hold the URL of another blob, with a SAS of its own. */
const SOURCE_HEADERS = ['x-ms-copy-source', 'x-ms-previous-snapshot-url']

/**
 * Ends the SAS of a request, or those of the URLs in its headers when it has such, before their time. A published disk
 * tells its owner that its SAS has run out.
 */
export function expireAccess(service: BlobServiceState, request: BlobRequest, whose: 'request' | 'source'): void {
  const sources = SOURCE_HEADERS.flatMap((name) => {
    const text = request.header(name)
    return text !== undefined && URL.canParse(text) ? [new URL(text)] : []
  })
  if (whose === 'request' || sources.length === 0) {
    expire(service, request.accountName, request.query.get('sig'))
    return
  }
  for (const { pathname, searchParams } of sources) {
    const [, accountName = ''] = pathname.split('/')
    expire(service, accountName, searchParams.get('sig'))
  }
}

function expire(service: BlobServiceState, accountName: string, signature: string | null): void {
  if (service.publications.owns(accountName)) service.publications.expire(accountName)
  else if (signature !== null) service.expiredSignatures.add(signature)
}
