package rendezvous

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// Messages of the DHT (BEP 5, 32, 43, 44). We only ask; what is not a reply is
// dropped before anything of it is read.

// A query is what we ask. Its keys stand in the order that BEP 3 wants.
type query struct {
	call   string // "find_node", "get" or "put"
	self   nodeID
	target nodeID // of find_node and get
	ip6    bool   // which nodes we want to hear of
	put    *put
}

type put struct {
	key       []byte
	seq       int64
	signature []byte
	token     []byte
	value     []byte // bencoded
}

// encode returns the packet; the transaction t joins the reply to it.
func (q query) encode(t []byte) []byte {
	b := addText([]byte("d1:ad2:id"), q.self[:])
	if p := q.put; p != nil {
		b = addText(append(b, "1:k"...), p.key)
		b = fmt.Appendf(b, "3:seqi%de", p.seq)
		b = addText(append(b, "3:sig"...), p.signature)
		b = addText(append(b, "5:token"...), p.token)
		b = append(append(b, "1:v"...), p.value...)
	} else {
		b = addText(append(b, "6:target"...), q.target[:])
		want := "n4"
		if q.ip6 {
			want = "n6"
		}
		b = append(append(append(b, "4:wantl2:"...), want...), 'e')
	}
	b = addText(append(b, "e1:q"...), []byte(q.call))
	b = append(b, "2:roi1e"...) // BEP 43: we answer nothing, so nobody need remember us
	b = addText(append(b, "1:t"...), t)
	return append(b, "1:y1:qe"...)
}

// A reply is what of an answer is of use. Its slices alias the packet.
type reply struct {
	transaction []byte
	refused     int64 // code of an error; 0 if there is none
	id          nodeID
	nodes       []node
	token       []byte
	value       []byte // bencoded, as it stands
	seq         int64
	signature   []byte
	seen        netip.AddrPort // from where it says that the query came; not valid: it does not
}

// A node is somebody to ask.
type node struct {
	id   nodeID
	addr netip.AddrPort
}

// parseReply reads a packet. Unknown entries are passed over, as everywhere in the
// DHT; an entry that we use and that is malformed is refused with the packet.
func parseReply(b []byte) (reply, error) {
	whole, rest, err := item(b, maxDepth)
	if err != nil || len(rest) > 0 {
		return reply{}, errBencode
	}
	var out reply
	var kind, answer, fault []byte
	err = each(whole, func(key string, value []byte) {
		switch key {
		case "t":
			out.transaction, _ = text(value)
		case "y":
			kind, _ = text(value)
		case "r":
			answer = value
		case "ip":
			if b, ok := text(value); ok {
				out.seen = readSeen(b)
			}
		case "e":
			fault = value
		}
	})
	switch {
	case err != nil:
		return reply{}, err
	case string(kind) == "r":
		return out, out.read(answer)
	case string(kind) == "e":
		out.refused = code(fault)
		return out, nil
	}
	return reply{}, errBencode
}

func (r *reply) read(answer []byte) error {
	ok, named := true, false
	err := each(answer, func(key string, value []byte) {
		switch key {
		case "id":
			var id []byte
			id, named = text(value)
			if named = named && len(id) == idSize; named {
				r.id = nodeID(id)
			}
		case "nodes":
			ok = r.readNodes(value, nodeSize4) && ok
		case "nodes6":
			ok = r.readNodes(value, nodeSize6) && ok
		case "token":
			t, is := text(value)
			ok = ok && is && len(t) <= maxToken
			r.token = t
		case "v":
			r.value = value
		case "seq":
			n, is := integer(value)
			ok = ok && is
			r.seq = n
		case "sig":
			r.signature, _ = text(value)
		}
	})
	if err != nil || !ok || !named {
		return errBencode
	}
	return nil
}

// readNodes reads compact node infos: id, address and port of each.
func (r *reply) readNodes(value []byte, size int) bool {
	b, ok := text(value)
	if !ok || len(b)%size != 0 {
		return false
	}
	for ; len(b) > 0 && len(r.nodes) < 2*maxReplyNodes; b = b[size:] {
		addr, _ := netip.AddrFromSlice(b[idSize : size-2])
		port := binary.BigEndian.Uint16(b[size-2:])
		r.nodes = append(r.nodes, node{nodeID(b[:idSize]), netip.AddrPortFrom(addr, port)})
	}
	return true
}

// code is the number of an error, 1 if none can be read.
func code(fault []byte) int64 {
	if len(fault) > 1 && fault[0] == 'l' {
		if value, _, err := item(fault[1:], 1); err == nil {
			if n, ok := integer(value); ok && n > 0 {
				return n
			}
		}
	}
	return 1
}
