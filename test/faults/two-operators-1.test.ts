import { testShare } from './two-installations.ts'

testShare(1)
