package chain_test

import (
	"kith/internal/chain"
	"kith/internal/wire"
)

// inChain tries a block of device i in a person's chain of two devices.
func inChain(i int, make func(*kin) ([]chain.Op, [][]byte)) func(*group) error {
	return func(g *group) error {
		k := newKin(g.t, "rae")
		parent := k.two()
		list, papers := make(k)
		_, _, err := k.try(parent, i, papers, list...)
		return err
	}
}

func just(op ...chain.Op) func(*kin) ([]chain.Op, [][]byte) {
	return func(*kin) ([]chain.Op, [][]byte) { return op, nil }
}

// leavesOwn tries a Leave of device 1 that change has been at, committed by
// device i.
func leavesOwn(i int, change func(*kin, *chain.Leave) (signer int)) func(*group) error {
	return inChain(i, func(k *kin) ([]chain.Op, [][]byte) {
		op := &chain.Leave{Cuts: []chain.Cut{{Device: k.device(1)}}}
		by := change(k, op)
		signed := chain.SignLeave(k.sign(by), wire.GroupID(k.id), wire.Member{Device: k.device(by)}, op.Instance, op.Successor).Marshal()
		op.Cites = []wire.Digest{chain.Cite(signed)}
		return []chain.Op{op}, [][]byte{signed}
	})
}

var personBreaches = []breach{
	{"an Unpark", "V4", chain.ReasonPolicy, inChain(0, func(k *kin) ([]chain.Op, [][]byte) { return []chain.Op{&chain.Unpark{Device: k.device(0)}}, nil })},
	{"a Park", "V4", chain.ReasonPolicy, inChain(0, func(k *kin) ([]chain.Op, [][]byte) { return []chain.Op{&chain.Park{Device: k.device(1)}}, nil })},
	{"a device adds itself", "V3", chain.ReasonAuthor, func(g *group) error {
		k := newKin(g.t, "rae")
		op := k.addOwn(1)
		op.Device.KeyPackageRef = wire.Digest{}
		_, _, err := k.try(k.blocks.Head(), 1, [][]byte{k.knock[1]}, op)
		return err
	}},
	{"AddDevice with a person", "V4", chain.ReasonPersonField, func(g *group) error {
		k := newKin(g.t, "rae")
		op := k.addOwn(1)
		op.Person = k.id
		_, _, err := k.try(k.blocks.Head(), 0, nil, op)
		return err
	}},
	{"AddDevice with an instance", "V4", chain.ReasonPersonField, func(g *group) error {
		k := newKin(g.t, "rae")
		op := k.addOwn(1)
		op.Instance[0] = 1
		_, _, err := k.try(k.blocks.Head(), 0, nil, op)
		return err
	}},
	{"AddDevice with a head", "V4", chain.ReasonPersonField, func(g *group) error {
		k := newKin(g.t, "rae")
		op := k.addOwn(1)
		op.PersonHead[0] = 1
		_, _, err := k.try(k.blocks.Head(), 0, nil, op)
		return err
	}},
	{"AddDevice with a proof", "V6", chain.ReasonAttachment, func(g *group) error {
		k := newKin(g.t, "rae")
		op := k.addOwn(1)
		op.Cites = append(op.Cites, wire.Digest{})
		_, _, err := k.try(k.blocks.Head(), 0, nil, op)
		return err
	}},
	{"the recovery key as a device", "V5", chain.ReasonDevice, inChain(0, func(k *kin) ([]chain.Op, [][]byte) {
		op := k.addOwn(1)
		op.Device.Key = [32]byte(k.public(phrase))
		return []chain.Op{op}, nil
	})},
	{"a device of the past", "V5", chain.ReasonDevice, func(g *group) error {
		k := newKin(g.t, "rae")
		parent := k.grow(k.two(), 0, nil, drop(k.device(1)))
		_, _, err := k.try(parent, 0, [][]byte{k.knock[1]}, k.addOwn(1))
		return err
	}},
	{"a device revokes itself", "V4", chain.ReasonSelf, inChain(1, func(k *kin) ([]chain.Op, [][]byte) { return []chain.Op{drop(k.device(1))}, nil })},
	{"a revoked author", "V3", chain.ReasonAuthor, func(g *group) error {
		k := newKin(g.t, "rae")
		parent := k.grow(k.two(), 0, nil, drop(k.device(1)))
		_, _, err := k.try(parent, 1, nil, &chain.Rekey{})
		return err
	}},
	{"recovery without a Restart", "V4", chain.ReasonRecovery, inChain(phrase, func(k *kin) ([]chain.Op, [][]byte) { return []chain.Op{drop(k.device(1))}, nil })},
	{"a Rekey of the recovery key", "V4", chain.ReasonRecovery, inChain(phrase, just(&chain.Rekey{}, anew(chain.SuiteAES)))},
	{"recovery that leaves nobody", "V5", chain.ReasonRestart, inChain(phrase, func(k *kin) ([]chain.Op, [][]byte) {
		return []chain.Op{drop(k.device(0)), drop(k.device(1)), anew(chain.SuiteAES)}, nil
	})},
	{"recovery with a false signature", "V3", chain.ReasonSignature, func(g *group) error {
		k := newKin(g.t, "rae")
		h, body, err := k.try(k.blocks.Head(), phrase, nil, anew(chain.SuiteAES))
		if err != nil {
			return err
		}
		seal(h, body, k.keys[0])
		_, err = k.blocks.Check(h, body)
		return err
	}},
	{"recovery under a person's name", "V3", chain.ReasonAuthor, func(g *group) error {
		k := newKin(g.t, "rae")
		_, _, err := chain.Draft(k.blocks.State(k.blocks.Head()), chain.DraftParams{
			Suite: chain.SuiteAES, Parent: k.blocks.Head(), Group: wire.GroupID(k.id),
			Author: k.member(phrase), AuthorSeq: 1, Ops: []chain.Op{anew(chain.SuiteAES)},
		})
		return err
	}},
	{"recovery with an old number", "V2", chain.ReasonSeq, func(g *group) error {
		k := newKin(g.t, "rae")
		parent := k.grow(k.blocks.Head(), phrase, nil, anew(chain.SuiteAES))
		_, _, err := chain.Draft(k.blocks.State(parent), chain.DraftParams{
			Suite: chain.SuiteAES, Parent: parent, Group: wire.GroupID(k.id),
			Author: wire.Member{Device: k.device(phrase)}, AuthorSeq: 1, Ops: []chain.Op{anew(chain.SuiteAES)},
		})
		return err
	}},
	{"a Restart with Nacks", "V6", chain.ReasonAttachment, inChain(0, just(&chain.Restart{Suite: chain.SuiteAES, Cites: make([]wire.Digest, 1)}))},
	{"a leave that its device commits", "V4", chain.ReasonSelf, leavesOwn(1, func(*kin, *chain.Leave) int { return 1 })},
	{"a leave signed by another device", "V6", chain.ReasonLeave, leavesOwn(0, func(*kin, *chain.Leave) int { return 0 })},
	{"a leave of no device", "V5", chain.ReasonCut, leavesOwn(0, func(_ *kin, op *chain.Leave) int { op.Cuts = nil; return 1 })},
	{"a leave to a successor", "V4", chain.ReasonPersonField, leavesOwn(0, func(k *kin, op *chain.Leave) int { op.Successor = k.id; return 1 })},
	{"a Package without a ref", "V5", chain.ReasonPackage, inChain(0, just(&chain.Package{Cites: make([]wire.Digest, 1)}))},
	{"a Package without its bytes", "V6", chain.ReasonAttachment, inChain(0, just(&chain.Package{KeyPackageRef: wire.Digest{1}}))},
	{"the Package it has", "V5", chain.ReasonNoChange, inChain(0, just(packages(1, 1)...))},
	{"nine suites", "V5", chain.ReasonPackage, inChain(0, just(packages(1, 2, 3, 4, 5, 6, 7, 8, 9)...))},
}

// packages names the same last-resort package for each suite.
func packages(suites ...uint16) (list []chain.Op) {
	for _, suite := range suites {
		list = append(list, &chain.Package{Suite: suite, KeyPackageRef: wire.Digest{1}, Cites: make([]wire.Digest, 1)})
	}
	return list
}
