package chain

import (
	"slices"

	"kith/internal/wire"
)

// An op is   u8 kind, opaque content<V>   and its content, by kind
// (docs/spec/chain.md):
//
//	Genesis  nonce[32] creator[32] person_head[32] DeviceEntry info[32] Policy
//	         u16 features<V>  optional RecoveryKeys  cites[32]<V>
//	Add      person[32] person_head[32] DeviceEntry devices<V> u8 role cites[32]<V>
//	Remove   person[32] instance[32] Cut cuts<V>
//	SetRole  person[32] instance[32] u8 role
//	SetInfo  info[32]
//	Rekey    (nothing)
//	Leave    person[32] instance[32] Cut cuts<V> successor[32] cites[32]<V>
//
// The others stand in deviceop.go, carry.go, restart.go, slash.go and
// setpolicy.go; shared are
//
//	DeviceEntry   key[32] knock_hash[32] key_package_ref[32]
//	Cut           device[32] u64 seq hash[16]
//	RecoveryKeys  key[32] sealing[1216]
func encodeOp(w *wire.Writer, op Op) {
	w.U8(uint8(op.Kind()))
	w.Group(op.encode)
}

func decodeOp(r *wire.Reader) Op {
	kind := Kind(r.U8())
	s := r.Sub(MaxHeader)
	var op Op
	switch kind {
	case KindGenesis:
		op = decodeGenesis(s)
	case KindAdd:
		op = decodeAdd(s)
	case KindRemove:
		op = decodeRemove(s)
	case KindSetRole:
		op = decodeSetRole(s)
	case KindSetPolicy:
		op = decodeSetPolicy(s)
	case KindSetInfo:
		info := new(SetInfo)
		s.Fixed(info.Info[:])
		op = info
	case KindRekey:
		op = new(Rekey)
	case KindLeave:
		op = decodeLeave(s)
	case KindPark:
		op = decodePark(s)
	case KindUnpark:
		op = decodeUnpark(s)
	case KindAddDevice:
		op = decodeAddDevice(s)
	case KindRemoveDevice:
		op = decodeRemoveDevice(s)
	case KindCarry:
		op = decodeCarry(s)
	case KindRestart:
		op = decodeRestart(s)
	case KindSlash:
		op = decodeSlash(s)
	case KindPackage:
		op = decodePackage(s)
	default:
		op = &Unread{kind, slices.Clone(s.Raw(s.Len()))}
	}
	if err := s.Done(); err != nil {
		r.Fail(err)
	}
	return op
}

func (op *Genesis) encode(w *wire.Writer) {
	w.Raw(op.Nonce[:])
	w.Raw(op.Creator[:])
	w.Raw(op.PersonHead[:])
	op.Device.encode(w)
	w.Raw(op.Info[:])
	op.Policy.encode(w)
	encodeFeatures(w, op.Features)
	w.Bool(op.Recovery != nil)
	if op.Recovery != nil {
		w.Raw(op.Recovery.Key[:])
		w.Raw(op.Recovery.Sealing[:])
	}
	encodeCites(w, op.Cites)
}

func decodeGenesis(r *wire.Reader) *Genesis {
	op := new(Genesis)
	r.Fixed(op.Nonce[:])
	r.Fixed(op.Creator[:])
	r.Fixed(op.PersonHead[:])
	op.Device = decodeDevice(r)
	r.Fixed(op.Info[:])
	op.Policy = decodePolicy(r)
	op.Features = decodeFeatures(r)
	if r.Bool() {
		op.Recovery = new(RecoveryKeys)
		r.Fixed(op.Recovery.Key[:])
		r.Fixed(op.Recovery.Sealing[:])
	}
	op.Cites = decodeCites(r)
	return op
}

func (op *Add) encode(w *wire.Writer) {
	w.Raw(op.Person[:])
	w.Raw(op.PersonHead[:])
	w.Group(func(w *wire.Writer) {
		for _, d := range op.Devices {
			d.encode(w)
		}
	})
	w.U8(uint8(op.Role))
	encodeCites(w, op.Cites)
}

func decodeAdd(r *wire.Reader) *Add {
	op := new(Add)
	r.Fixed(op.Person[:])
	r.Fixed(op.PersonHead[:])
	r.Each(MaxHeader, MaxDevices, func(r *wire.Reader) { op.Devices = append(op.Devices, decodeDevice(r)) })
	if len(op.Devices) == 0 {
		r.Fail(wire.ErrCanonical)
	}
	op.Role = decodeRole(r)
	op.Cites = decodeCites(r)
	return op
}

func (op *Remove) encode(w *wire.Writer) {
	w.Raw(op.Person[:])
	w.Raw(op.Instance[:])
	encodeCuts(w, op.Cuts)
}

func decodeRemove(r *wire.Reader) *Remove {
	op := new(Remove)
	r.Fixed(op.Person[:])
	r.Fixed(op.Instance[:])
	op.Cuts = decodeCuts(r, MaxCuts)
	return op
}

func (op *SetRole) encode(w *wire.Writer) {
	w.Raw(op.Person[:])
	w.Raw(op.Instance[:])
	w.U8(uint8(op.Role))
}

func decodeSetRole(r *wire.Reader) *SetRole {
	op := new(SetRole)
	r.Fixed(op.Person[:])
	r.Fixed(op.Instance[:])
	op.Role = decodeRole(r)
	return op
}

func (op *SetInfo) encode(w *wire.Writer) { w.Raw(op.Info[:]) }

func (*Rekey) encode(*wire.Writer) {}

func (op *Leave) encode(w *wire.Writer) {
	w.Raw(op.Person[:])
	w.Raw(op.Instance[:])
	encodeCuts(w, op.Cuts)
	w.Raw(op.Successor[:])
	encodeCites(w, op.Cites)
}

func decodeLeave(r *wire.Reader) *Leave {
	op := new(Leave)
	r.Fixed(op.Person[:])
	r.Fixed(op.Instance[:])
	op.Cuts = decodeCuts(r, MaxCuts)
	r.Fixed(op.Successor[:])
	op.Cites = decodeCites(r)
	return op
}

func (op *Unread) encode(w *wire.Writer) { w.Raw(op.Content) }

func (d DeviceEntry) encode(w *wire.Writer) {
	w.Raw(d.Key[:])
	w.Raw(d.KnockHash[:])
	w.Raw(d.KeyPackageRef[:])
}

func decodeDevice(r *wire.Reader) (d DeviceEntry) {
	r.Fixed(d.Key[:])
	r.Fixed(d.KnockHash[:])
	r.Fixed(d.KeyPackageRef[:])
	return d
}

func decodeRole(r *wire.Reader) Role {
	role := Role(r.U8())
	if role > RoleAdmin {
		r.Fail(wire.ErrCanonical)
	}
	return role
}

func encodeFeatures(w *wire.Writer, features []uint16) {
	w.Group(func(w *wire.Writer) {
		for _, f := range features {
			w.U16(f)
		}
	})
}

func decodeFeatures(r *wire.Reader) (features []uint16) {
	r.Each(2*MaxFeatures, MaxFeatures, func(r *wire.Reader) { features = append(features, r.U16()) })
	return features
}

func encodeCites(w *wire.Writer, cites []wire.Digest) {
	w.Group(func(w *wire.Writer) {
		for _, c := range cites {
			w.Raw(c[:])
		}
	})
}

func decodeCites(r *wire.Reader) (cites []wire.Digest) {
	r.Each(32*MaxCites, MaxCites, func(r *wire.Reader) {
		var c wire.Digest
		r.Fixed(c[:])
		cites = append(cites, c)
	})
	return cites
}

func encodeCuts(w *wire.Writer, cuts []Cut) {
	w.Group(func(w *wire.Writer) {
		for _, c := range cuts {
			w.Raw(c.Device[:])
			w.U64(c.Seq)
			w.Raw(c.Hash[:])
		}
	})
}

func decodeCuts(r *wire.Reader, most int) (cuts []Cut) {
	r.Each(MaxHeader, most, func(r *wire.Reader) {
		var c Cut
		r.Fixed(c.Device[:])
		c.Seq = r.U64()
		r.Fixed(c.Hash[:])
		cuts = append(cuts, c)
	})
	return cuts
}
