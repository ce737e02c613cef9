// Cases of the JSON API: right bodies, nearly right ones, and right ones with the wrong headers. Whatever comes, a plain answer goes back.
import { toBase64Url, utf8 } from '#shared/base/bytes.ts'
import type { Prng } from '#shared/base/prng.ts'
import { statementSignedBytes } from '#shared/crypto/statements.ts'
import { parseHttpAnswer } from '#shared/protocol/http-answers.ts'
import { isRefusalCode } from '#shared/protocol/refusals.ts'
import { drawStatement } from './draw-statements.ts'
import { sodium } from './fuzz-world.ts'
import { treeOf, writeTree } from './json-tree.ts'
import { isBase64Url, textOf } from './oracle-entry.ts'
import { judgeStatement } from './oracle-statement.ts'
import type { Round } from './round.ts'
import { mutateTree } from './tree-mutations.ts'
import { mutateBytes } from './wire-parts.ts'

type Fields = { [field: string]: unknown }

interface Request {
  path: string
  body: Fields
  /** The status that a body that can be read must get; 0 where the oracle does not say. */
  expect(fields: Fields): number
  token: string
  /** What this asker gets whatever the body is; 0: it depends on the body. */
  denied?: number
  /** Sent as it is: nearly right, it could change what the round stands on. */
  plain?: boolean
}

const bodyBytesMax = 16_384

export async function httpCase(round: Round, random: Prng): Promise<void> {
  const request = await drawRequest(round, random)
  const how: string[] = []
  let tree = treeOf(request.body)
  if (!request.plain && random.chance(0.5)) {
    const mutated = mutateTree(tree, random, round.pool)
    tree = mutated.tree
    how.push(...mutated.how)
  }
  let bytes = utf8(writeTree(tree))
  if (!request.plain && random.chance(0.08)) {
    const mutated = mutateBytes(bytes, random, bytes)
    bytes = mutated.bytes
    how.push(mutated.how)
  }
  const isJson = random.chance(0.95)
  if (!isJson) how.push('content-type')
  const headers: Record<string, string> = {
    'content-type': isJson ? 'application/json' : random.pick(['text/plain', 'application/x-www-form-urlencoded', 'json']),
  }
  if (request.token !== '') headers.authorization = `Bearer ${request.token}`
  round.sent.push(`POST ${request.path} [${how}] ${JSON.stringify(headers)} ${toBase64Url(bytes)}`)
  const answer = await round.world.request(request.path, bytes, headers)
  const expected = bytes.length > bodyBytesMax ? 413 : !isJson ? 415 : expectStatus(request, bytes)
  round.tally.count(`http ${request.path.slice(5)}`, how, String(answer.status))
  judgeAnswer(request.path, answer)
  if (expected !== 0 && answer.status !== expected)
    throw new Error(
      `${request.path} answers ${answer.status} ${answer.text}, the oracle says ${expected}, to ${Buffer.from(bytes).toString('utf8').slice(0, 900)}`,
    )
  const [trouble] = round.world.troubles
  if (trouble !== undefined) throw new Error(trouble)
}

function expectStatus(request: Request, bytes: Uint8Array): number {
  if (request.denied) return request.denied
  const fields = looseObject(bytes)
  // What is no object has no fields.
  return fields ? request.expect(fields) : request.path === '/api/invite' ? 404 : 400
}

/** A body may be spelled as one likes, and what is not UTF-8 reads as U+FFFD, as the web's `text()` has it. */
function looseObject(bytes: Uint8Array): Fields | undefined {
  try {
    const text = textOf(bytes) ?? new TextDecoder().decode(bytes)
    const value: unknown = JSON.parse(text.startsWith('\ufeff') ? text.slice(1) : text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
  } catch {
    return undefined
  }
}

async function drawRequest(round: Round, random: Prng): Promise<Request> {
  const { people, world } = round
  const person = random.pick([people.ann, people.bob, people.outsider])
  const isText = (value: unknown): value is string => typeof value === 'string'
  const authKey = toBase64Url(person.authKey)
  switch (random.below(8)) {
    case 0:
      return {
        path: '/api/prelogin',
        body: { login: random.pick([person.name, person.email, 'nobody', '']) },
        expect: ({ login }) => (isText(login) && login.length <= 1024 ? 200 : 400),
        token: '',
      }
    case 1:
      return {
        path: '/api/username',
        body: { username: random.pick([person.name, `free${random.below(1e6)}`, 'UPPER', 'x', 'a'.repeat(33)]) },
        expect: ({ username }) => (isText(username) && /^[a-z0-9._]{2,32}$/.test(username) ? 200 : 400),
        token: '',
      }
    case 2:
      return {
        path: '/api/login',
        body: { login: random.pick([person.name, person.email.toUpperCase(), ` ${person.name} `, 'nobody']), authKey },
        expect: ({ login, authKey: key }) => {
          if (!isText(login) || login.length > 1024 || !isBase64Url(key, 32)) return 400
          const known = Object.values(people).find(({ name, email }) => [name, email].includes(login.trim().toLowerCase()))
          return known && toBase64Url(known.authKey) === key ? 200 : 401
        },
        token: '',
      }
    case 3: {
      const body = {
        username: random.chance(0.9) ? `u${random.below(1e9)}` : person.name,
        email: random.chance(0.9) ? `u${random.below(1e9)}@example.org` : person.email,
        salt: toBase64Url(random.bytes(16)),
        authKey: toBase64Url(random.bytes(32)),
        identity: toBase64Url(random.chance(0.95) ? sodium.signerFromSeed(random.bytes(32)).publicKey : new Uint8Array(32)),
        vault: toBase64Url(random.bytes(random.pick([40, 41, 100, 1024, 1025]))),
      }
      return { path: '/api/register', body, expect: (fields) => expectRegister(round, fields), token: '' }
    }
    case 4: {
      const token = await login(round, person.name, authKey)
      const { text, how } = drawStatement({ ...person, devs: [person.dev] }, random, round.pool)
      const signer = random.chance(0.9) ? person.identity : person.device
      const sig = toBase64Url(signer.sign(statementSignedBytes(text)))
      if (how.length > 0) round.sent.push(`statement [${how}]`)
      const isSignedIn = random.chance(0.95)
      const expect = (fields: Fields) => expectDevice(person, fields)
      const asker = isSignedIn ? { token } : { token: 'x', denied: 401 }
      return { path: '/api/devices', body: { statement: text, sig }, expect, ...asker }
    }
    case 5:
      return drawChange(round, random)
    case 6: {
      // Of a device that there is not: a revoked one could not go on with the round.
      const away = round.pool.filter((id) => !Object.values(people).some(({ dev }) => dev === id))
      const { text } = drawStatement({ ...person, devs: [toBase64Url(random.bytes(16))] }, random, away)
      const sig = toBase64Url(person.identity.sign(statementSignedBytes(text)))
      const expect = ({ statement, sig: given }: Fields) =>
        isText(statement) && statement.length <= 1024 && isText(given) && given.length === 86 ? 403 : 400
      return { path: '/api/devices/revoke', body: { statement: text, sig }, expect, ...drawAsker(round, random, person.token) }
    }
    default: {
      const code = random.chance(0.9) ? random.pick([...round.codes, 'AAAAAAAAAAAAAAAAAAAAAA']) : 'short'
      const expect = ({ code: given }: Fields) => (isText(given) && round.codes.includes(given) ? 0 : 404)
      return { path: '/api/invite', body: { code }, expect, token: random.pick(['', person.token, world.clock.time.toString()]) }
    }
  }
}

/** Another password, or the end of an account: never with the right password and a right body, or the round would lose a person. */
function drawChange(round: Round, random: Prng): Request {
  const { owner, ann } = round.people
  const [right, wrong] = [toBase64Url(owner.authKey), toBase64Url(random.bytes(32))]
  const asker = drawAsker(round, random, random.pick([owner, ann]).token)
  if (random.chance(0.5)) {
    // Whoever owns a community may not end, the right password or not.
    if (random.chance(0.3))
      return { path: '/api/account/erase', body: { authKey: right }, expect: () => 409, token: owner.token, plain: true }
    const expect = ({ authKey }: Fields) => (isBase64Url(authKey, 32) ? 401 : 400)
    return { path: '/api/account/erase', body: { authKey: wrong }, expect, ...asker }
  }
  const secrets = { salt: toBase64Url(random.bytes(16)), newAuthKey: wrong, vault: toBase64Url(random.bytes(100)) }
  if (random.chance(0.3)) {
    const body = { authKey: right, ...secrets, vaultRev: random.pick([0, 2, 99, -1]) }
    return { path: '/api/password', body, expect: () => 409, token: owner.token, plain: true }
  }
  const expect = ({ authKey, salt, newAuthKey, vault, vaultRev }: Fields) =>
    isBase64Url(authKey, 32) &&
    isBase64Url(salt, 16) &&
    isBase64Url(newAuthKey, 32) &&
    isVault(vault) &&
    Number.isSafeInteger(vaultRev)
      ? 401
      : 400
  return { path: '/api/password', body: { authKey: wrong, ...secrets, vaultRev: 1 }, expect, ...asker }
}

/** Mostly whoever may ask; else nobody, or a session that speaks for no device. */
function drawAsker(round: Round, random: Prng, token: string): { token: string; denied?: number } {
  if (random.chance(0.9)) return { token }
  return random.chance(0.5) ? { token: 'x', denied: 401 } : { token: round.people.guest.token, denied: 403 }
}

function isVault(raw: unknown): boolean {
  return typeof raw === 'string' && isBase64Url(raw, Math.floor((raw.length * 3) / 4)) && raw.length >= 55 && raw.length <= 1366
}

async function login(round: Round, name: string, authKey: string): Promise<string> {
  const body = utf8(JSON.stringify({ login: name, authKey }))
  const answer = await round.world.request('/api/login', body, { 'content-type': 'application/json' })
  const said = parseHttpAnswer('login', JSON.parse(answer.text))
  if (!said) throw new Error(`an honest sign-in is refused: ${answer.status} ${answer.text}`)
  return said.token
}

/** 201 only where every field is right; what is taken already, the oracle leaves open. */
function expectRegister(round: Round, { username, email, salt, authKey, identity, vault }: Fields): number {
  const isName = typeof username === 'string' && /^[a-z0-9._]{2,32}$/.test(username)
  if (!isName || !isVault(vault) || !isBase64Url(salt, 16) || !isBase64Url(authKey, 32) || !isBase64Url(identity, 32)) return 400
  if (typeof email !== 'string' || !email.includes('@') || email.length > 254) return 400
  if (!sodium.isValidKey(Buffer.from(identity, 'base64url'))) return 400
  const isTaken = Object.values(round.people).some((person) => person.name === username || person.email === email.toLowerCase())
  return isTaken ? 409 : 0
}

function expectDevice(person: Round['people']['ann'], { statement, sig }: Fields): number {
  if (typeof statement !== 'string' || statement.length > 1024 || typeof sig !== 'string' || sig.length !== 86) return 400
  const judged = judgeStatement(statement)
  const isSigned =
    isBase64Url(sig, 64) &&
    sodium.verify(
      Buffer.from(sig, 'base64url'),
      Buffer.from(`dupecord/keys/1\0${statement.toWellFormed()}`),
      person.identity.publicKey,
    )
  const own = judged?.account === person.account && judged.identity === toBase64Url(person.identity.publicKey)
  if (judged?.t !== 'dev.add' || !own || !isSigned) return 403
  const [key, pop] = [Buffer.from(judged.key, 'base64url'), Buffer.from(judged.pop, 'base64url')]
  const proved =
    sodium.isValidKey(key) &&
    sodium.verify(pop, Buffer.concat([Buffer.from('dupecord/device-pop/1\0'), Buffer.from(judged.identity, 'base64url')]), key)
  return proved ? 200 : 403
}

/** Every answer is one of the shapes that a device can read. */
function judgeAnswer(path: string, { status, text }: { status: number; text: string }): void {
  if (status >= 500 && status !== 503) throw new Error(`${path} fails: ${status} ${text}`)
  if (status === 204 || (status === 201 && text === '{}')) return
  const value: unknown = JSON.parse(text)
  if (status === 200) {
    const name = path.slice(5)
    if (name !== 'prelogin' && name !== 'login' && name !== 'devices' && name !== 'username' && name !== 'invite') return
    if (!parseHttpAnswer(name, value)) throw new Error(`${path} answers what a device cannot read: ${text}`)
    return
  }
  const code = typeof value === 'object' && value !== null && 'code' in value ? value.code : undefined
  if (!isRefusalCode(code)) throw new Error(`${path} refuses without a code: ${text}`)
}
