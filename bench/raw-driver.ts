/** A bare HTTP client that sends the same copies as the product, and does nothing else: what the machine can do. */
import { request } from 'undici'
import { lengthOf, type ByteRange } from '../domain/byte-range.ts'

const API_VERSION = '2021-12-02'

export interface RawCopies {
  readonly sourceUrl: string
  readonly blobUrl: string
  readonly token: string
  readonly ranges: readonly ByteRange[]
  readonly inFlight: number
}

export async function copyRaw({ sourceUrl, blobUrl, token, ranges, inFlight }: RawCopies): Promise<void> {
  const left = ranges.values()
  const copyOne = async (range: ByteRange): Promise<void> => {
    if (lengthOf(range) === 0) return
    const bytes = `bytes=${range.startBytes}-${range.endBytes - 1}`
    const { statusCode, body } = await request(`${blobUrl}?comp=page`, {
      method: 'PUT',
      headers: {
        authorization: `Bearer ${token.replace(/^Bearer /i, '')}`,
        'x-ms-version': API_VERSION,
        'x-ms-page-write': 'update',
        'x-ms-copy-source': sourceUrl,
        'x-ms-source-range': bytes,
        'x-ms-range': bytes,
        'content-length': '0',
      },
    })
    const answer = await body.text()
    if (statusCode !== 201) throw new Error(`the raw driver was answered with ${statusCode}: ${answer.slice(0, 300)}`)
  }
  const drive = async (): Promise<void> => {
    for (const range of left) await copyOne(range)
  }
  await Promise.all(Array.from({ length: inFlight }, drive))
}
