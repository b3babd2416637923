package chain

// room is what a group has for one more device of m, which nothing but headers
// decides:
//
//	m has devices here ── 16 AddDevice in the window of V7 ──> another waits
//	m has devices here ── all but 16 of 256 ever ──> no more
//	m has none left ──> one more, up to 256 ever
//
// Who lost everything has none left, once those that are lost are revoked; and to
// revoke one is never refused. So whoever holds a stolen device uses up neither
// the window nor the last places that the owner needs to come back. Each
// AddDevice adds to what every newcomer reads for ever, so it is bounded for
// those too.
func (c *change) room(m *Member) error {
	if c.ofPerson {
		return nil // a proof has MaxProofHeaders
	}
	if m.belonging() == 0 {
		return nil // admit has the last word
	}
	if len(m.Devices) >= MaxDevicesEver-MaxDevices {
		return c.refuse("V5", ReasonDevices)
	}
	window, recent := QuotaWindow*c.parent.count(), 0
	for _, d := range m.Devices {
		if a := c.devices.get(d.ID); a.added != 0 && a.added+window > c.h.Height {
			recent++
		}
	}
	if recent >= MaxAddDevices {
		return c.refuse("V7", ReasonAdded)
	}
	return nil
}
