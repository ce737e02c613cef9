// This browser profile's signing key: Ed25519 by WebCrypto and not extractable where the browser can do and keep that, else a seed for
// libsodium. Not extractable stops theft by script, not by disk: Chromium keeps even such keys in clear.
// WebCrypto signs only; what others signed is verified by libsodium.
import type { Bytes } from '#shared/base/bytes.ts'
import type { Random } from '#shared/base/ports.ts'
import type { Sodium } from '#shared/crypto/sodium.ts'

type Subtle = typeof globalThis.crypto.subtle
export type PrivateKey = Parameters<Subtle['sign']>[1]

/** As it lies in IndexedDB: both kinds pass through structured clone. */
export type StoredDeviceKey =
  | { kind: 'webcrypto'; publicKey: Bytes; key: PrivateKey }
  | { kind: 'seed'; publicKey: Bytes; seed: Bytes }

export interface DeviceKeyPair {
  /** Ed25519, 32 bytes. */
  publicKey: Bytes
  stored: StoredDeviceKey
  /** 64 bytes. Two signatures of one message may differ (Safari's do). */
  sign(message: Bytes): Promise<Bytes>
}

export interface DeviceKeyPorts {
  /** `crypto.subtle`; `undefined` where the page is no secure context. */
  subtle: Subtle | undefined
  random: Random
  sodium(): Promise<Sodium>
  /** Can this browser put such a key into its storage and get it back? Firefox before 136 cannot. */
  keeps(key: PrivateKey): Promise<boolean>
}

/** Made, tried out and ready. */
export async function makeDeviceKey(ports: DeviceKeyPorts): Promise<DeviceKeyPair> {
  return (await makeInBrowser(ports)) ?? makeFromSeed(ports)
}

export function openDeviceKey(stored: StoredDeviceKey, ports: Pick<DeviceKeyPorts, 'subtle' | 'sodium'>): DeviceKeyPair {
  const { publicKey } = stored
  if (stored.kind === 'seed') {
    return {
      publicKey,
      stored,
      sign: async (message) => (await ports.sodium()).signerFromSeed(stored.seed).sign(message),
    }
  }
  const { subtle } = ports
  return {
    publicKey,
    stored,
    async sign(message) {
      if (!subtle) throw new Error('must hold: a page that made a WebCrypto key is a secure context')
      return new Uint8Array(await subtle.sign('Ed25519', stored.key, message))
    },
  }
}

/** `undefined` where the browser lacks Ed25519, cannot keep the key, or signs what libsodium does not accept. */
async function makeInBrowser(ports: DeviceKeyPorts): Promise<DeviceKeyPair | undefined> {
  const { subtle } = ports
  if (!subtle) return undefined
  try {
    const made = await subtle.generateKey('Ed25519', false, ['sign', 'verify'])
    if (!('privateKey' in made) || !(await ports.keeps(made.privateKey))) return undefined
    const publicKey = new Uint8Array(await subtle.exportKey('raw', made.publicKey))
    const pair = openDeviceKey({ kind: 'webcrypto', publicKey, key: made.privateKey }, ports)
    const challenge = ports.random.bytes(32)
    const sodium = await ports.sodium()
    return sodium.verify(await pair.sign(challenge), challenge, publicKey) ? pair : undefined
  } catch {
    return undefined // an older browser says "not supported" by throwing, each in its own way; the seed serves it
  }
}

async function makeFromSeed(ports: DeviceKeyPorts): Promise<DeviceKeyPair> {
  const seed = ports.random.bytes(32)
  const { publicKey } = (await ports.sodium()).signerFromSeed(seed)
  return openDeviceKey({ kind: 'seed', publicKey, seed }, ports)
}
