import { bimiCheck } from './dns/bimi.js';
import { caaCheck } from './dns/caa.js';
import type { DnsCheck } from './dns/context.js';
import {
  daneDenialCheck,
  daneExistsCheck,
  daneMatchCheck,
  daneUnsignedCheck,
  daneUsageCheck,
} from './dns/dane.js';
import { authorityCheck, delegationCheck, syncCheck } from './dns/delegation.js';
import {
  dkimKeyCheck,
  dkimMultiCheck,
  dkimParentCheck,
  dkimRevokedCheck,
  dkimTagsCheck,
} from './dns/dkim.js';
import { dkimEd25519Check, dkimSizeCheck, dkimStrictCheck, dkimTestCheck } from './dns/dkim-strength.js';
import { dmarcAlignCheck, dmarcPolicyCheck, dmarcSubCheck } from './dns/dmarc-policy.js';
import { dmarcOldCheck, dmarcOneCheck, dmarcSyntaxCheck } from './dns/dmarc-record.js';
import { dmarcExternalCheck, dmarcRuaCheck } from './dns/dmarc-reports.js';
import { dnssecCheck } from './dns/dnssec.js';
import { hostAaaaCheck, hostACheck, privateAddressCheck, proxyCheck } from './dns/host.js';
import { stsMxCheck, stsPolicyCheck, stsRecordCheck } from './dns/mta-sts.js';
import {
  mxAddressCheck,
  mxAliasCheck,
  mxDuplicateCheck,
  mxExistsCheck,
  mxIpv6Check,
  mxLiteralCheck,
  mxOursCheck,
  nullMxCheck,
} from './dns/mx.js';
import { negativeTtlCheck, serverCountCheck, serverIpv6Check } from './dns/name-servers.js';
import { cnameCheck, placeCheck, wildcardCheck } from './dns/names.js';
import { propagationCheck } from './dns/records.js';
import {
  forwardConfirmedCheck,
  genericNameCheck,
  heloCheck,
  ptrExistsCheck,
  singleNameCheck,
} from './dns/reverse.js';
import { autoconfigCheck, srvCheck } from './dns/services.js';
import { certificateCheck, startTlsCheck, tlsVersionCheck } from './dns/smtp-tls.js';
import { spfIncludeCheck, spfLookupsCheck, spfLoopCheck, spfVoidCheck } from './dns/spf-limits.js';
import { spfPassCheck } from './dns/spf-pass.js';
import { spfMissingCheck, spfOneCheck, spfSizeCheck, spfSyntaxCheck } from './dns/spf-record.js';
import { spfAllCheck, spfMacroCheck, spfPtrCheck, spfWideCheck } from './dns/spf-terms.js';
import { stsIdCheck } from './dns/sts-id.js';
import { tlsRptCheck } from './dns/tls-rpt.js';

/** Every check of DNS, in the order of the report's groups. A new check is one object and one line here. */
export const dnsChecks: readonly DnsCheck[] = [
  hostACheck,
  hostAaaaCheck,
  proxyCheck,
  privateAddressCheck,
  ptrExistsCheck,
  forwardConfirmedCheck,
  genericNameCheck,
  singleNameCheck,
  heloCheck,
  mxExistsCheck,
  mxOursCheck,
  mxAliasCheck,
  mxLiteralCheck,
  mxAddressCheck,
  nullMxCheck,
  mxIpv6Check,
  mxDuplicateCheck,
  spfMissingCheck,
  spfOneCheck,
  spfSyntaxCheck,
  spfPassCheck,
  spfLookupsCheck,
  spfVoidCheck,
  spfAllCheck,
  spfPtrCheck,
  spfLoopCheck,
  spfIncludeCheck,
  spfMacroCheck,
  spfWideCheck,
  spfSizeCheck,
  dkimKeyCheck,
  dkimMultiCheck,
  dkimTagsCheck,
  dkimSizeCheck,
  dkimRevokedCheck,
  dkimTestCheck,
  dkimStrictCheck,
  dkimEd25519Check,
  dkimParentCheck,
  dmarcOneCheck,
  dmarcSyntaxCheck,
  dmarcPolicyCheck,
  dmarcSubCheck,
  dmarcOldCheck,
  dmarcRuaCheck,
  dmarcExternalCheck,
  dmarcAlignCheck,
  bimiCheck,
  stsRecordCheck,
  stsPolicyCheck,
  stsMxCheck,
  stsIdCheck,
  tlsRptCheck,
  dnssecCheck,
  daneExistsCheck,
  daneMatchCheck,
  daneUnsignedCheck,
  daneUsageCheck,
  daneDenialCheck,
  startTlsCheck,
  certificateCheck,
  tlsVersionCheck,
  caaCheck,
  srvCheck,
  autoconfigCheck,
  delegationCheck,
  authorityCheck,
  syncCheck,
  serverCountCheck,
  serverIpv6Check,
  negativeTtlCheck,
  cnameCheck,
  wildcardCheck,
  placeCheck,
  propagationCheck,
];
