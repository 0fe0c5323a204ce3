// The tus project's own server on a free port, which it prints; it ends with its standard input.

import { FileStore } from '@tus/file-store'
import { Server } from '@tus/server'

const [directory, maxSize] = process.argv.slice(2)
const datastore = new FileStore({ directory, expirationPeriodInMilliseconds: 7 * 24 * 3600 * 1000 })
const server = new Server({ path: '/files', datastore, maxSize: Number(maxSize), relativeLocation: true })
const listening = server.listen({ host: '127.0.0.1', port: 0 }, () => console.log(listening.address().port))
// A refused body that still arrives is put into a stream that this server has closed, after its answer went out: that
// would end the process under whoever asks next.
process.on('uncaughtException', (error) => {
  if (error.code !== 'ERR_INVALID_STATE') throw error
})
process.stdin.resume().on('end', () => process.exit(0))
