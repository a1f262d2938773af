/** Reads a page list as it came: `P start-end` for a page range, `C start-end` for a clear range, in their order. */
export function parsePageList(body: string): { ranges: string[]; nextMarker: string } {
  const items = body.matchAll(/<(Page|Clear)Range><Start>(\d+)<\/Start><End>(\d+)<\/End><\/\1Range>/g)
  return {
    ranges: [...items].map(([, kind, start, end]) => `${kind?.[0]} ${start}-${end}`),
    nextMarker: /<NextMarker>(.*)<\/NextMarker>/.exec(body)?.[1] ?? '',
  }
}
