module kith/interop

go 1.26.0

require (
	github.com/thomas-vilte/mls-go v1.6.0
	golang.org/x/sys v0.49.0
	kith v0.0.0
)

require (
	github.com/oasisprotocol/curve25519-voi v0.0.0-20230904125328-1f23a7beb09a // indirect
	golang.org/x/crypto v0.58.0 // indirect
)

replace kith => ../
