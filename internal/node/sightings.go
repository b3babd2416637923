package node

import (
	"bytes"
	"crypto/hmac"
	"slices"

	"kith/internal/link"
)

// maxSightings bounds what is remembered of the local network: as many devices as are in one
// room, with those that left it.
const maxSightings = 256

// sightings are what was heard of last on the local network, the newest at the end. A device
// is announced when it starts, and then each quarter of an hour or so; whom this node gets to
// know meanwhile it was told of before.
type sightings []link.Sighting

func (l *sightings) keep(s link.Sighting) {
	*l = slices.DeleteFunc(*l, func(old link.Sighting) bool { return bytes.Equal(old.Address.Peer, s.Address.Peer) })
	if len(*l) == maxSightings {
		*l = slices.Delete(*l, 0, 1)
	}
	*l = append(*l, s)
}

// of returns where a device was heard last; the zero address if it was not.
func (l sightings) of(knockKey []byte) (at link.Address) {
	for _, s := range l {
		if isBy(s, knockKey) {
			at = s.Address
		}
	}
	return at
}

// isBy reports whether a device announced itself so.
func isBy(s link.Sighting, knockKey []byte) bool {
	mac := lanMac(knockKey, s.Nonce)
	return hmac.Equal(mac[:], s.Mac[:])
}
