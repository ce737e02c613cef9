// What has to be so for an entry to come from its device: bytes, signature and key, as the check of libsodium takes them.
import { parseBase64Url } from '../base/bytes.ts'
import type { SignatureClaim } from '../crypto/ports.ts'
import { entrySignedBytes } from '../crypto/signed-bytes.ts'
import type { EntryPlace } from './entry.ts'
import { type ReceivedEntry, signedText } from './entry-codec.ts'

/** `undefined` where no signature can be read. @param key Ed25519, 32 bytes */
export function claimOf(
  { space, channel }: EntryPlace,
  key: Uint8Array,
  { parsed, bytes }: ReceivedEntry,
): SignatureClaim | undefined {
  const signature = parsed.ok ? parseBase64Url(parsed.value.sig) : undefined
  return signature && { key, signature, message: entrySignedBytes(space, channel, signedText(bytes)) }
}
