// One run of tus-js-client: a task as JSON on standard input, what came of it as JSON on standard output.

import { readFileSync } from 'node:fs'
import * as tus from 'tus-js-client'
import { Signer, SigningStack } from './signing.mjs'

const task = JSON.parse(readFileSync(0, 'utf8'))
const signer = new Signer(task.device)
const options = {
  endpoint: task.endpoint,
  httpStack: new SigningStack(new tus.DefaultHttpStack({}), signer, task.wrongChecksum),
  metadata: task.metadata,
  chunkSize: task.chunkSize,
  retryDelays: task.retryDelays,
  uploadDataDuringCreation: task.duringCreation,
  ...(task.storage && { urlStorage: new tus.FileUrlStorage(task.storage) }),
}

function upload() {
  return new Promise((resolve) => {
    const one = new tus.Upload(readFileSync(task.file), {
      ...options,
      onSuccess: () => resolve({ outcome: 'success', url: one.url }),
      onError: (error) => resolve({
        outcome: 'error', url: one.url, status: error.originalResponse?.getStatus() ?? null, told: String(error),
      }),
    })
    start(one)
  })
}

async function start(one) {
  if (task.storage) {
    const [previous] = await one.findPreviousUploads()
    if (previous) one.resumeFromPreviousUpload(previous)
  }
  one.start()
}

const result = task.terminate
  ? await tus.Upload.terminate(task.terminate, options).then(() => ({ outcome: 'success' }))
  : await upload()
console.log(JSON.stringify({ ...result, requests: signer.log }))
