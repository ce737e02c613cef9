// Serves the built app. Paths without an extension get the app's shell; unknown files are 404.
import { readFileSync } from 'node:fs'
import { serveStatic } from '@hono/node-server/serve-static'
import type { Hono } from 'hono'
import type { HttpEnv } from './ports.ts'

/** @param root folder of the build; without a page in it nothing is served, as in development, where Vite serves the app */
export function addPages(http: Hono<HttpEnv>, root: string): void {
  const policy = readPolicy(`${root}/index.html`)
  if (policy === undefined) return

  http.use('*', async (c, next) => {
    await next()
    c.header('content-security-policy', policy) // on scripts too: a worker obeys its own response's policy
    if (c.res.status === 200)
      c.header('cache-control', c.req.path.startsWith('/_app/immutable/') ? 'public, max-age=31536000, immutable' : 'no-cache')
  })
  http.use('*', serveStatic({ root, precompressed: true }))
  const shell = serveStatic({ root, path: 'index.html', precompressed: true })
  http.get('*', async (c, next) => {
    if (/\.[a-z0-9]+$/i.test(c.req.path) || /^\/(_app|api)\//.test(c.req.path)) return c.notFound()
    return (await shell(c, next)) ?? c.notFound()
  })
}

/** The page's own policy with what a meta tag cannot say; `undefined` without a page. */
function readPolicy(file: string): string | undefined {
  let html: string
  try {
    html = readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  const policy = /http-equiv="content-security-policy" content="([^"]*)"/i.exec(html)?.[1]
  if (!policy) throw new Error(`${file} carries no content security policy`)
  return `${policy.replaceAll('&#39;', "'")}; frame-ancestors 'none'`
}
