package sim

import "kith/internal/group"

// replay lets a node that once sent or got a payload send it now, to anybody.
func (r *run) replay(a action) {
	if len(r.History) == 0 {
		return
	}
	p := r.History[a.a%uint64(len(r.History))]
	from := p.From
	if a.b%2 == 0 {
		from = p.To
	}
	const promptAck = 43 // whose it is says the session
	if from != p.From && p.Bytes[0] == promptAck {
		return
	}
	to := r.pick(a.b>>1, func(n *Node) bool { return n != from && n.reads(p.Bytes[0]) })
	if to != nil && r.Linked(from, to) {
		r.tracef("%s sends %s a payload of %s to %s again, kind %d", from.Name, to.Name, p.From.Name, p.To.Name, p.Bytes[0])
		r.came["replayed"]++
		r.check.resent[to] = append(r.check.resent[to], p.Bytes)
		r.Deliver(from, to, p.Group, p.Bytes)
	}
}

// reads reports whether a node's program reads payloads of a kind: to send them to who does
// not announce them is misbehaviour.
func (n *Node) reads(kind byte) bool {
	switch n.Self.Omits {
	case group.FeatureHeads:
		return kind < 22 || kind > 25
	case group.FeatureAckHeads:
		return kind < 28 || kind > 30
	case group.FeatureHistory:
		return kind < 33 || kind > 34
	case group.FeatureBlockNews:
		return kind < 35 || kind > 36
	case group.FeatureSparing:
		return kind < 43 || kind > 45
	}
	return true
}
