import type { ArmCall, ArmReply } from './arm-call.ts'
import { GROUP_PATH, PROVIDER, SUBSCRIPTION_PATH, type ArmRoute } from './arm-routes.ts'
import type { AsyncWork } from './async-operations.ts'
import type { ComputeState } from './compute-state.ts'
import { listPage } from './list-pages.ts'
import { requireAttachedRights } from './linked-source.ts'
import { parseBody } from './request-bodies.ts'
import { idOf, requireResource } from './resource-calls.ts'
import { attachDetachSchema, vmBodySchema, vmUpdateSchema } from './virtual-machine-bodies.ts'
import { instanceViewDocument, storageProfileDocument, vmDocument } from './virtual-machine-document.ts'
import type { VirtualMachine } from './virtual-machine-model.ts'
import {
  attachAndDetach,
  createVirtualMachine,
  removeVirtualMachine,
  replaceVirtualMachine,
  setRunning,
  updateVirtualMachine,
} from './virtual-machines.ts'

/** Virtual machines: make, read, change, start, stop, delete. A PUT is answered 201 or 200 and polled, as on Azure. */

const TYPE = 'virtualMachines'
const ACTION = `Microsoft.Compute/${TYPE}`
const COLLECTION = `${GROUP_PATH}/${PROVIDER}/${TYPE}`
const PATH = `${COLLECTION}/:name`

export function virtualMachineRoutes(state: ComputeState, baseUrl: () => string): ArmRoute[] {
  const table = state.virtualMachines
  const vmOf = (call: ArmCall): VirtualMachine => requireResource(table, idOf(call, TYPE, ['name']))
  const accept = (
    call: ArmCall,
    vm: VirtualMachine,
    work: Pick<AsyncWork, 'perform' | 'finish'>,
  ): Promise<ArmReply> => {
    const { id, location } = vm
    return state.operations.accept(call, { kind: 'operations', subscriptionId: id.subscriptionId, location, ...work })
  }
  const acceptChange = async (call: ArmCall, vm: VirtualMachine, status: number): Promise<ArmReply> => {
    const finish = (): Record<string, unknown> => {
      vm.provisioningState = 'Succeeded'
      table.changed(vm)
      return vmDocument(state, vm)
    }
    const reply = await accept(call, vm, { finish })
    return { ...reply, status, body: vmDocument(state, vm) }
  }

  const put = (call: ArmCall): Promise<ArmReply> => {
    const id = idOf(call, TYPE, ['name'])
    const body = parseBody(vmBodySchema, call.body)
    requireAttachedRights(state, call, id, body.properties.storageProfile)
    const existing = table.get(id)
    if (existing === undefined) return acceptChange(call, createVirtualMachine(state, id, body), 201)
    replaceVirtualMachine(state, existing, body)
    return acceptChange(call, existing, 200)
  }
  const patch = (call: ArmCall): Promise<ArmReply> => {
    const vm = vmOf(call)
    const update = parseBody(vmUpdateSchema, call.body)
    requireAttachedRights(state, call, vm.id, update.properties?.storageProfile)
    updateVirtualMachine(state, vm, update)
    return acceptChange(call, vm, 200)
  }
  const remove = (call: ArmCall): Promise<ArmReply> | ArmReply => {
    const vm = table.get(idOf(call, TYPE, ['name']))
    if (vm === undefined) return { status: 204 }
    return accept(call, vm, { perform: () => removeVirtualMachine(state, vm) })
  }
  const power = (isRunning: boolean) => (call: ArmCall): Promise<ArmReply> => {
    const vm = vmOf(call)
    return accept(call, vm, { perform: () => setRunning(state, vm, isRunning) })
  }
  const attachDetach = (call: ArmCall): Promise<ArmReply> => {
    const vm = vmOf(call)
    attachAndDetach(state, vm, parseBody(attachDetachSchema, call.body))
    const finish = (): Record<string, unknown> => storageProfileDocument(state, vm)
    return accept(call, vm, { finish })
  }
  const get = (call: ArmCall): ArmReply => {
    const withView = call.query.get('$expand') === 'instanceView'
    return { status: 200, body: vmDocument(state, vmOf(call), withView) }
  }
  const document = (vm: VirtualMachine): unknown => vmDocument(state, vm)
  const list = (call: ArmCall): ArmReply =>
    listPage(call, table, { pageSize: state.settings().pageSize, baseUrl: baseUrl(), document })

  const route = (verb: string, rest: Omit<ArmRoute, 'operation'>): ArmRoute => ({
    operation: `VirtualMachines_${verb}`,
    ...rest,
  })
  const post = (verb: string, segment: string, handle: ArmRoute['handle']): ArmRoute =>
    route(verb, { method: 'POST', path: `${PATH}/${segment}`, action: `${ACTION}/${segment}/action`, handle })
  return [
    route('CreateOrUpdate', { method: 'PUT', path: PATH, action: `${ACTION}/write`, handle: put }),
    route('Get', { method: 'GET', path: PATH, action: `${ACTION}/read`, handle: get }),
    route('InstanceView', {
      method: 'GET',
      path: `${PATH}/instanceView`,
      action: `${ACTION}/instanceView/read`,
      handle: (call) => ({ status: 200, body: instanceViewDocument(vmOf(call)) }),
    }),
    route('Update', { method: 'PATCH', path: PATH, action: `${ACTION}/write`, handle: patch }),
    route('Delete', { method: 'DELETE', path: PATH, action: `${ACTION}/delete`, handle: remove }),
    route('List', { method: 'GET', path: COLLECTION, action: `${ACTION}/read`, handle: list }),
    route('ListAll', {
      method: 'GET',
      path: `${SUBSCRIPTION_PATH}/${PROVIDER}/${TYPE}`,
      action: `${ACTION}/read`,
      handle: list,
    }),
    post('Start', 'start', power(true)),
    post('PowerOff', 'powerOff', power(false)),
    post('Deallocate', 'deallocate', power(false)),
    post('AttachDetachDataDisks', 'attachDetachDataDisks', attachDetach),
  ]
}
