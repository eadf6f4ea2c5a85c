import { loadSettings } from '@glacis/settings';
import * as fc from 'fast-check';
import { qemuArguments, type GuestPlace, type Tee } from './command-line.js';
import { qemuSettings } from './settings.js';

const place: GuestPlace = {
  port: 6101,
  varsFile: '/vm/vars.fd',
  consoleSocket: '/vm/console',
};
const of = (tee: Tee, env: Record<string, string> = {}, more: Partial<GuestPlace> = {}): string =>
  qemuArguments(loadSettings(qemuSettings, { env }), tee, { ...place, ...more }).join(' ');

describe('backends.md 14: command lines of QEMU', () => {
  it('plain', () => {
    expect(of('none', {}, { link: { kind: 'vsock', cid: 4 } })).toBe(
      [
        '-enable-kvm -machine q35 -cpu EPYC -smp 4,maxcpus=64 -m 2048M,slots=5,maxmem=30G',
        '-drive if=pflash,format=raw,unit=0,file=/usr/share/OVMF/OVMF_CODE.fd,readonly=on',
        '-drive if=pflash,format=raw,unit=1,file=/vm/vars.fd',
        '-netdev user,id=vmnic,hostfwd=tcp::6101-:7002',
        '-device virtio-net-pci,disable-legacy=on,iommu_platform=true,netdev=vmnic,addr=0x2,romfile=',
        '-nographic -chardev socket,id=console,path=/vm/console,server=on -serial chardev:console',
        '-monitor pty -no-reboot',
        '-device vhost-vsock-pci,id=vhost-vsock-pci0,guest-cid=4',
        '-kernel img/bzImage -initrd img/rootfs.cpio.gz -append quiet console=ttyS0',
      ].join(' '),
    );
  });

  it('SNP', () => {
    const line = of('snp', { MANAGER_QEMU_KERNEL_HASH: 'true' }, { hostData: 'AAAA' });
    expect(line).toContain(
      '-machine q35,memory-backend=ram1,memory-encryption=sev0,vmport=off -cpu EPYC',
    );
    expect(line).toContain(
      [
        '-object memory-backend-memfd-private,id=ram1,size=2048M,share=true',
        '-object sev-snp-guest,id=sev0,cbitpos=51,reduced-phys-bits=1,kernel-hashes=on,host-data=AAAA',
      ].join(' '),
    );
  });

  it('SEV has no host data', () => {
    const line = of('snp', { MANAGER_QEMU_ENABLE_SEV_SNP: 'false' }, { hostData: 'AAAA' });
    expect(line).toContain('-object sev-guest,id=sev0,cbitpos=51,reduced-phys-bits=1 ');
  });

  it('TDX', () => {
    const line = of('tdx');
    expect(line).toContain(
      '-machine q35,memory-backend=ram1,confidential-guest-support=tdx0,kernel_irqchip=split',
    );
    expect(line).toContain(
      '-object {"qom-type":"tdx-guest","id":"tdx0","quote-generation-socket":{"type":"vsock","cid":"2","port":"4050"}}',
    );
    expect(line).toContain('-nodefaults -bios /usr/share/ovmf/OVMF.fd');
    expect(line).not.toMatch(/pflash|-monitor/);
  });

  it('the link of an agent by virtio-serial, and the shares of a VM', () => {
    expect(of('none', {}, { link: { kind: 'serial', socket: '/vm/agent' } })).toContain(
      [
        '-device virtio-serial-pci -chardev socket,id=agent,path=/vm/agent,server=on',
        '-device virtserialport,chardev=agent,name=org.glacis.agent',
      ].join(' '),
    );
    expect(of('none', {}, { shares: { certs_share: '/vm/certs' } })).toContain(
      [
        '-fsdev local,id=certs_share,path=/vm/certs,security_model=none,readonly=on',
        '-device virtio-9p-pci,fsdev=certs_share,mount_tag=certs_share',
      ].join(' '),
    );
  });

  it('options: emulated, with a display, other names', () => {
    const line = of('none', {
      MANAGER_QEMU_ENABLE_KVM: 'false',
      MANAGER_QEMU_NO_GRAPHIC: 'false',
      MANAGER_QEMU_VSOCK_VNC: '3',
      MANAGER_QEMU_VIRTIO_NET_PCI_ROMFILE: 'boot.rom',
      MANAGER_QEMU_GUEST_FWD_AGENT: '7777',
    });
    expect(line).toMatch(/^-machine q35 -cpu/);
    expect(line).toContain('-vnc :3 ');
    expect(line).toContain(',romfile=boot.rom ');
    expect(line).toContain('hostfwd=tcp::6101-:7777');
  });

  it('no value breaks out of its option, whatever it holds', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (path) => {
        const args = qemuArguments(loadSettings(qemuSettings, { env: {} }), 'none', {
          ...place,
          varsFile: path,
        });
        const option = args.find((arg) => arg.startsWith('if=pflash,format=raw,unit=1,file='));
        const value = option?.slice('if=pflash,format=raw,unit=1,file='.length) ?? '';
        expect(value.replaceAll(',,', '')).not.toContain(',');
        expect(value.replaceAll(',,', ',')).toBe(path);
      }),
    );
  });
});
