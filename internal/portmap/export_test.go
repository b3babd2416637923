package portmap

import "time"

// OpenFast is Open with another pace.
func OpenFast(cfg Config, lease, least, retry, ask time.Duration) *Mapper {
	cfg.pace = pace{lease, least, retry, ask}
	return Open(cfg)
}
