import { testShare } from './random-histories.ts'

testShare(1)
