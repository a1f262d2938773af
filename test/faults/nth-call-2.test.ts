import { testShare } from './nth-call.ts'

testShare(2)
