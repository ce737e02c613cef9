// What a device statement is, written a second time: exactly the keys of its kind, in their order, each in its one spelling.
import { isBase64Url } from './oracle-entry.ts'
import { type Plain, readCanonical } from './oracle-json.ts'

export interface JudgedStatement {
  t: 'dev.add' | 'dev.revoke'
  account: string
  identity: string
  key: string
  pop: string
}

export function judgeStatement(text: string): JudgedStatement | undefined {
  const fields = text.length <= 1_024 ? readCanonical(text, { depthMax: 2, loneSurrogates: true }) : undefined
  if (!(fields instanceof Map) || fields.get('v') !== 1) return undefined
  const keys = [...fields.keys()].join()
  const [account, identity, at] = [fields.get('account'), fields.get('identity'), fields.get('at')]
  if (!isBase64Url(account, 16) || !isBase64Url(identity, 32) || !isTime(at)) return undefined
  const [key, pop, dev, why] = [fields.get('key'), fields.get('pop'), fields.get('dev'), fields.get('why')]
  if (fields.get('t') === 'dev.add') {
    if (keys !== 'v,t,account,identity,key,at,pop' || !isBase64Url(key, 32) || !isBase64Url(pop, 64)) return undefined
    return { t: 'dev.add', account, identity, key, pop }
  }
  if (fields.get('t') !== 'dev.revoke' || keys !== 'v,t,account,identity,dev,at,why') return undefined
  if (!isBase64Url(dev, 16) || typeof why !== 'string' || why.length > 200) return undefined
  return { t: 'dev.revoke', account, identity, key: '', pop: '' }
}

function isTime(at: Plain | undefined): boolean {
  return typeof at === 'number' && Number.isSafeInteger(at) && at >= 0
}
