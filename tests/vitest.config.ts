import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  plugins: [svelte({ configFile: false })],
  test: {
    root: import.meta.dirname,
    include: ['{unit,spec,contract,sim,golden,arch,attack,crash,stock,fuzz,operate}/**/*.test.ts'],
    environment: 'node',
    testTimeout: 60_000,
    reporters: ['default', ['json', { outputFile: '../.data/vitest.json' }]],
  },
})
