// What both account stores promise.
import { describe, expect, test } from 'vitest'
import type { AccountRow, AccountStore } from '#relay/store/account-store.ts'
import { openDatabase } from '#relay/store/database.ts'
import { createSqliteAccountStore } from '#relay/store/sqlite-account-store.ts'
import { toBase64Url } from '#shared/base/bytes.ts'
import { idFromBytes } from '#shared/base/ids.ts'
import { createPrng } from '#shared/base/prng.ts'
import type { DeviceKey } from '#shared/protocol/frames.ts'
import { createMemoryAccountStore } from '../fakes/memory-account-store.ts'

const stores: [string, () => AccountStore][] = [
  ['memory', createMemoryAccountStore],
  ['sqlite', () => createSqliteAccountStore(openDatabase(':memory:'))],
]

describe.each(stores)('account store: %s', (_name, createStore) => {
  const random = createPrng(3)
  const account = (username: string, changed: Partial<AccountRow> = {}): Omit<AccountRow, 'operator'> => ({
    id: idFromBytes<'account'>(random.bytes(16)),
    username,
    email: `${username}@example.org`,
    emailConfirmed: false,
    salt: random.bytes(16),
    passwordDigest: '$argon2id$…',
    identity: random.bytes(32),
    vault: random.bytes(90),
    vaultRev: 1,
    avatar: '',
    created: 1_800_000_000_000,
    ...changed,
  })
  const device = (owner: Pick<AccountRow, 'id'>, from: number): DeviceKey => ({
    dev: idFromBytes<'device'>(random.bytes(16)),
    account: owner.id,
    identity: toBase64Url(random.bytes(32)),
    key: toBase64Url(random.bytes(32)),
    certificate: '{"v":1}',
    sig: toBase64Url(random.bytes(64)),
    from,
    until: 0,
  })

  test('[STO-1] an account comes back as it was put in, by id, name and address in any case', async () => {
    const store = createStore()
    const dupe = account('dupe', { email: 'Dupe@Example.org' })
    expect(await store.create(dupe)).toBe('created')
    const row = { ...dupe, operator: true }
    expect(await store.byId(dupe.id)).toEqual(row)
    expect(await store.byUsername('dupe')).toEqual(row)
    expect(await store.byEmail('dUPE@example.ORG')).toEqual(row)
    expect(await store.byUsername('dupette')).toBeUndefined()
    expect(await store.byEmail('dupette@example.org')).toBeUndefined()
    expect(await store.byId(idFromBytes<'account'>(new Uint8Array(16)))).toBeUndefined()
  })

  test('[STO-2] name, address and identity are unique, and a refused account leaves nothing', async () => {
    const store = createStore()
    const dupe = account('dupe')
    await store.create(dupe)
    expect(await store.create(account('dupe', { email: 'other@example.org' }))).toBe('username_taken')
    expect(await store.create(account('dupette', { email: 'DUPE@example.org' }))).toBe('email_taken')
    expect(await store.create(account('dupette', { id: dupe.id }))).toBe('identity_taken')
    expect(await store.count()).toBe(1)
    expect(await store.byUsername('dupette')).toBeUndefined()
  })

  test('[STO-3] of many at once exactly one is the operator, and one gets the name', async () => {
    const store = createStore()
    const asked = Array.from({ length: 6 }, (_, i) => account(`same${i % 3}`, { email: `a${i}@example.org` }))
    const told = await Promise.all(asked.map((row) => store.create(row)))
    expect(told.filter((answer) => answer === 'created')).toHaveLength(3)
    const rows = await Promise.all(asked.map(({ id }) => store.byId(id)))
    expect(rows.filter((row) => row?.operator)).toHaveLength(1)
    expect((await store.byUsername('same0'))?.operator).toBe(true)
  })

  test('[STO-4] usernames are told for those who are known', async () => {
    const store = createStore()
    const [dupe, dupette] = [account('dupe'), account('dupette')]
    for (const row of [dupe, dupette]) await store.create(row)
    const unknown = idFromBytes<'account'>(new Uint8Array(16))
    expect(await store.usernames([dupe.id, unknown, dupette.id, dupe.id])).toEqual(
      new Map([
        [dupe.id, 'dupe'],
        [dupette.id, 'dupette'],
      ]),
    )
    expect(await store.usernames([])).toEqual(new Map())
  })

  test('[STO-5] sessions: put, changed while there, listed by age, ended, run out', async () => {
    const store = createStore()
    const [dupe, dupette] = [account('dupe'), account('dupette')]
    for (const row of [dupe, dupette]) await store.create(row)
    const session = (idHash: string, created: number, owner = dupe) =>
      ({ idHash, account: owner.id, dev: '', created, expires: created + 100 }) as const
    for (const row of [session('b', 20), session('a', 10), session('c', 30, dupette)]) await store.putSession(row)
    expect(await store.session('a')).toEqual(session('a', 10))
    expect((await store.sessionsOf(dupe.id)).map(({ idHash }) => idHash)).toEqual(['a', 'b'])

    const { dev } = device(dupe, 1)
    expect(await store.updateSession({ ...session('a', 10), dev, expires: 500 })).toBe(true)
    expect(await store.session('a')).toEqual({ ...session('a', 10), dev, expires: 500 })
    await store.deleteSession('a')
    expect(await store.updateSession({ ...session('a', 10), expires: 900 })).toBe(false)
    expect(await store.session('a')).toBeUndefined()
    await store.deleteSession('a')

    await store.deleteExpiredSessions(120)
    expect(await store.session('b')).toBeUndefined()
    expect(await store.session('c')).toEqual(session('c', 30, dupette))
  })

  test('[STO-6] devices: by id and by account, replaced by id', async () => {
    const store = createStore()
    const [dupe, dupette] = [account('dupe'), account('dupette')]
    for (const row of [dupe, dupette]) await store.create(row)
    const [second, first, other] = [device(dupe, 2), device(dupe, 1), device(dupette, 1)]
    for (const row of [second, first, other]) await store.putDevice(row)
    expect(await store.devicesOf(dupe.id)).toEqual([first, second])
    const unknown = idFromBytes<'device'>(new Uint8Array(16))
    const told = await store.devices([second.dev, other.dev, second.dev, unknown])
    expect(told).toHaveLength(2)
    expect(told).toEqual(expect.arrayContaining([second, other]))
    await store.putDevice({ ...first, until: 77 })
    expect(await store.devices([first.dev])).toEqual([{ ...first, until: 77 }])
    expect(await store.devices([])).toEqual([])
  })

  test('[STO-7] what is handed out may be changed without changing what is stored', async () => {
    const store = createStore()
    const dupe = account('dupe')
    await store.create(dupe)
    const row = await store.byId(dupe.id)
    row?.vault.fill(0)
    expect((await store.byId(dupe.id))?.vault).toEqual(dupe.vault)
  })

  test('[STO-8] new secrets are taken at the rev that was read, and only once', async () => {
    const store = createStore()
    const dupe = account('dupe')
    await store.create(dupe)
    const secrets = { salt: random.bytes(16), passwordDigest: '$argon2id$new', vault: random.bytes(80) }
    expect(await store.setSecrets(dupe.id, secrets, 2)).toBe(false)
    expect(await store.setSecrets(dupe.id, secrets, 1)).toBe(true)
    expect(await store.setSecrets(dupe.id, { ...secrets, passwordDigest: 'late' }, 1)).toBe(false)
    expect(await store.byId(dupe.id)).toEqual({ ...dupe, ...secrets, vaultRev: 2, operator: true })
    expect(await store.setSecrets(idFromBytes<'account'>(new Uint8Array(16)), secrets, 1)).toBe(false)
  })

  test('[STO-9] a device is revoked once, and stays what it was otherwise', async () => {
    const store = createStore()
    const dupe = account('dupe')
    await store.create(dupe)
    const phone = device(dupe, 1)
    await store.putDevice(phone)
    const revocation = { until: 50, statement: '{"t":"dev.revoke"}', sig: 'sig' }
    expect(await store.revokeDevice(idFromBytes<'device'>(new Uint8Array(16)), revocation)).toBe(false)
    expect(await store.revokeDevice(phone.dev, revocation)).toBe(true)
    expect(await store.revokeDevice(phone.dev, { ...revocation, until: 60 })).toBe(false)
    expect(await store.devices([phone.dev])).toEqual([{ ...phone, until: 50 }])
  })

  test('[ERA-5] an erased account answers to nothing; its id, its mark and its device keys stay', async () => {
    const store = createStore()
    const [dupe, dupette] = [account('dupe'), account('dupette')]
    for (const row of [dupe, dupette]) await store.create(row)
    const [phone, lost, other] = [device(dupe, 1), { ...device(dupe, 2), until: 7 }, device(dupette, 1)]
    for (const row of [phone, lost, other]) await store.putDevice(row)
    for (const [idHash, owner] of [['a', dupe] as const, ['b', dupette] as const])
      await store.putSession({ idHash, account: owner.id, dev: '', created: 1, expires: 100 })

    await store.erase(dupe.id, 50, '~mark')
    expect(await store.byId(dupe.id)).toBeUndefined()
    for (const name of ['dupe', '~mark', '']) expect(await store.byUsername(name)).toBeUndefined()
    for (const address of [dupe.email, '', dupe.id]) expect(await store.byEmail(address)).toBeUndefined()
    expect(await store.usernames([dupe.id, dupette.id])).toEqual(new Map([[dupette.id, 'dupette']]))
    expect(await store.sessionsOf(dupe.id)).toEqual([])
    await store.putSession({ idHash: 'late', account: dupe.id, dev: '', created: 1, expires: 100 })
    expect(await store.session('late')).toBeUndefined()
    expect(await store.session('b')).toBeDefined()
    expect(await store.devicesOf(dupe.id)).toEqual([{ ...phone, until: 50 }, lost])
    expect(await store.devicesOf(dupette.id)).toEqual([other])
    expect([await store.isMarked('~mark'), await store.isMarked('dupe'), await store.isMarked('dupette')]).toEqual([
      true,
      false,
      false,
    ])

    expect(await store.create(account('again', { id: dupe.id }))).toBe('identity_taken')
    expect(await store.create(account('again', { email: dupe.email }))).toBe('created')
    expect((await store.byUsername('again'))?.operator).toBe(false)
    expect(await store.count()).toBe(3)
  })

  test('[ERA-6] until its traces are gone an erased account is named as such; erasing twice is once', async () => {
    const store = createStore()
    const rows = [account('dupe'), account('dupette'), account('third')]
    for (const row of rows) await store.create(row)
    const [dupe, dupette] = rows
    if (!dupe || !dupette) throw new Error('three of them')
    expect(await store.erasing()).toEqual([])
    await store.erase(dupe.id, 50, '~a')
    await store.erase(dupette.id, 60, '~b')
    await store.erase(dupe.id, 70, '~c')
    expect(await store.erasing()).toEqual([dupe.id, dupette.id].sort())
    await store.finishErasing(dupe.id)
    expect(await store.erasing()).toEqual([dupette.id])
    await store.erase(dupe.id, 80, '~d')
    expect(await store.erasing()).toEqual([dupette.id])
    expect([await store.isMarked('~a'), await store.isMarked('~c'), await store.isMarked('~d')]).toEqual([true, false, false])
  })
})
