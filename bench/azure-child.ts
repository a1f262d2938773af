/** The local Azure as the bench's child: starts it, gives it orders, stops it. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Answer, AzureOrders, AzureReady, Order, OrderName } from './azure-orders.ts'

/** `ts` or `js`, as this file. */
const PROGRAM = fileURLToPath(new URL(`azure-process${import.meta.url.slice(-3)}`, import.meta.url))

export interface AzureChild extends AzureReady {
  order<Name extends OrderName>(name: Name, ...takes: AzureOrders[Name]['takes'] extends void ? [] : [AzureOrders[Name]['takes']]): Promise<AzureOrders[Name]['gives']>
  /** Ends it, and all that it held. */
  stop(): Promise<void>
}

/** @param caDir of the authority that signs for it; made where there is none. */
export async function startAzureChild(caDir: string): Promise<AzureChild> {
  const child = fork(PROGRAM, [caDir])
  const ended = once(child, 'exit')
  const [ready] = (await Promise.race([
    once(child, 'message'),
    ended.then(([code]) => Promise.reject(new Error(`the local Azure ended with ${code} at its start`))),
  ])) as [AzureReady]

  const waiting = new Map<number, { resolve: (gives: unknown) => void; reject: (error: Error) => void }>()
  child.on('message', (answer: Answer) => {
    const asked = waiting.get(answer.number)
    waiting.delete(answer.number)
    if ('error' in answer) asked?.reject(new Error(answer.error))
    else asked?.resolve(answer.gives)
  })
  child.once('exit', (code) => {
    for (const { reject } of waiting.values()) reject(new Error(`the local Azure ended with ${code}`))
  })
  let orders = 0
  return {
    ...ready,
    order(name, ...takes) {
      const order: Order = { number: ++orders, name, takes: takes[0] }
      return new Promise((resolve, reject) => {
        waiting.set(order.number, { resolve: resolve as (gives: unknown) => void, reject })
        child.send(order)
      })
    },
    async stop() {
      if (child.connected) child.disconnect()
      await ended
    },
  }
}
