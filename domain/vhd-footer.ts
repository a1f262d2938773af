/**
 * The footer of a fixed VHD: its last 512 bytes (Virtual Hard Disk Image Format Specification 1.0).
 *
 * Only the cookie is looked at, as Azure does on import and upload: an image without it is no disk, and a transfer that wrote
 * at wrong offsets loses it first.
 */

const COOKIE = 'conectix'

export function hasVhdCookie(footer: Uint8Array): boolean {
  return String.fromCharCode(...footer.subarray(0, COOKIE.length)) === COOKIE
}
