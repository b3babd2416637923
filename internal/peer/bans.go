package peer

import (
	"sync"
	"time"

	"kith/internal/wire"
)

// Bans remembers which devices and hosts broke rules, for a time. It is in
// memory only: a restart forgives. Its zero value is empty; a nil one bans
// nobody. Several sessions share it.
type Bans struct {
	mu      sync.Mutex // guards records
	records map[offender]record
}

// A Ban is one device or host that is not talked to.
type Ban struct {
	Device wire.DeviceID // zero for a host
	Host   string        // an address or network; empty for a device
	Rule   string        // the one broken last
	Until  time.Time
}

type offender struct {
	device wire.DeviceID
	host   string
}

type record struct {
	weight float64
	at     time.Time // when weight was right
	rule   string
	until  time.Time // zero: not banned
}

// PunishDevice adds weight to a device and reports whether it is banned now.
func (b *Bans) PunishDevice(d wire.DeviceID, rule string, weight int, now time.Time) bool {
	return b.punish(offender{device: d}, rule, weight, deviceBan, now)
}

// PunishHost adds weight to a host and reports whether it is banned now.
func (b *Bans) PunishHost(host, rule string, weight int, now time.Time) bool {
	if host == "" {
		return false
	}
	return b.punish(offender{host: host}, rule, weight, hostBan, now)
}

// Device returns the ban of a device, if there is one.
func (b *Bans) Device(d wire.DeviceID, now time.Time) (Ban, bool) {
	return b.find(offender{device: d}, now)
}

// Host returns the ban of a host, if there is one.
func (b *Bans) Host(host string, now time.Time) (Ban, bool) {
	return b.find(offender{host: host}, now)
}

// List returns every ban that holds, in no order.
func (b *Bans) List(now time.Time) []Ban {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []Ban
	for who, r := range b.records {
		if now.Before(r.until) {
			out = append(out, who.ban(r))
		}
	}
	return out
}

func (o offender) ban(r record) Ban {
	return Ban{Device: o.device, Host: o.host, Rule: r.rule, Until: r.until}
}

func (b *Bans) punish(who offender, rule string, weight int, length time.Duration, now time.Time) bool {
	if b == nil || weight <= 0 {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	r, known := b.records[who]
	if !known {
		b.room(now)
	}
	r.weight, r.at, r.rule = r.left(who, now)+float64(weight), now, rule
	if r.weight >= banAt {
		r.weight, r.until = 0, now.Add(length)
	}
	if b.records == nil {
		b.records = make(map[offender]record)
	}
	b.records[who] = r
	return now.Before(r.until)
}

func (b *Bans) find(who offender, now time.Time) (Ban, bool) {
	if b == nil {
		return Ban{}, false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	r, ok := b.records[who]
	if !ok || !now.Before(r.until) {
		return Ban{}, false
	}
	return who.ban(r), true
}

// left is the weight that is not forgiven yet.
func (r record) left(who offender, now time.Time) float64 {
	each := deviceForgive
	if who.host != "" {
		each = hostForgive
	}
	return max(0, r.weight-max(0, float64(now.Sub(r.at))/float64(each)))
}

// room drops what is forgiven when the table is full, and if nothing is, the
// lightest record: a ban goes last.
func (b *Bans) room(now time.Time) {
	if len(b.records) < maxRecords {
		return
	}
	var lightest offender
	least := -1.0
	for who, r := range b.records {
		w := r.left(who, now)
		if now.Before(r.until) {
			w += banAt
		}
		if w == 0 {
			delete(b.records, who)
		} else if least < 0 || w < least {
			lightest, least = who, w
		}
	}
	if len(b.records) >= maxRecords {
		delete(b.records, lightest)
	}
}
