package sim

import (
	"fmt"

	"kith/internal/group"
)

// describe says in a trace what somebody does.
func (w *World) describe(c group.Cause) string {
	switch c := c.(type) {
	case group.Compose:
		if b, err := c.Content.Open(); err == nil && c.Content.Kind != group.ContentText {
			return fmt.Sprintf("says %T%v", b, b)
		}
		return fmt.Sprintf("says %q", c.Content.Body)
	case group.Invite:
		s := "invites"
		for _, n := range c.Newcomers {
			s += " " + w.name(n.Person)
		}
		return s
	case group.Remove:
		return "removes " + w.name(c.Person)
	case group.SetRole:
		return fmt.Sprintf("gives %s role %d", w.name(c.Person), c.Role)
	case group.Leave:
		return "leaves"
	case group.Park:
		return "parks " + w.device(c.Device)
	case group.AddDevice:
		return "adds a device of " + w.name(c.Person)
	case group.RemoveDevice:
		return "takes out the device " + w.device(c.Device)
	}
	return fmt.Sprintf("%T", c)
}
