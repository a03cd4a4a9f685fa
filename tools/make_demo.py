#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Cuts the demo collection in demo/ out of the full set of Debian packages.

Only a maintainer who changes the selection needs this; it wants NumPy
(Debian: python3-numpy) and the full set (demo/README.md says what that is).

    python3 tools/make_demo.py --source ../shared/data/debian-packages
    python3 tools/make_demo.py --source ../shared/data/debian-packages --look

The second command writes nothing: it prints the best five packages of every
tenth example query, in the full set and in the selection, and how much of the
full set's best the selection holds.
"""

import argparse
import json
import pathlib
import re
import sys

import numpy as np

COUNT = 4000
PER_QUERY = 6  # the best packages of every example query are always in
PER_LIBRARY_QUERY = 8
SECTION_MAX = 420  # packages of one section, so that none drowns the others

# Sections of libraries, files and language bindings: thousands of packages
# that a person who looks for a program does not want to see.
BULK_SECTIONS = frozenset(
    "libs libdevel doc debug oldlibs localization introspection rust golang "
    "haskell perl ruby javascript php gnu-r java lisp ocaml cli-mono "
    "metapackages tasks kernel zope python".split())

# Parts of a program that come beside it.
PART = re.compile(
    r"(-dev|-docs?|-dbg|-dbgsym|-data|-common|-i18n|-examples?|-plugins?"
    r"|-headers|-source|-images|-tests|-bin|-nox|-gtk[23]?)$"
    r"|-l10n|-plugin-|^lib(?!reoffice)|^fonts-|^task-|^php-|^python3?-"
    r"|^pd-|^indi-|^golang-|^node-|^elpa-|^webext-|^postgresql-15-"
    r"|^sagemath-|^gambas3-|^yorick-|^octave-|^lua-|^raku-|^uwsgi-plugin"
    r"|^collectd-|^aspell-|^myspell-|^hunspell-|^wbritish|^xfonts-")

TRANSITIONAL = re.compile(r"transitional|dummy|metapackage", re.IGNORECASE)

# Example queries that ask for libraries; for these the language sections
# count.
LIBRARY_QUERIES = frozenset([
    "regular expressions library", "parse JSON", "parse XML documents",
    "read YAML configuration", "command line arguments parser",
    "unit testing framework", "send HTTP requests", "TLS library",
    "cryptographic hash functions", "Python web framework",
    "functional programming language", "natural language processing",
    "train neural networks", "face detection"])

# Packages that stand close to an example query by their words only.
BY_WORDS_ONLY = frozenset("""
  webcam exifprobe metacam swarp uprightdiff igal2 kamoso cheese pixelize
  metapixel auto-editor epstool tkpng imview mmh nmh themonospot diskscan
  changeme vgrabbj enscribe gnome-photos-tests pngmeta pngcheck
""".split())

# Programs that people know by name, whatever their tags say.
WELL_KNOWN = """
  0ad abiword ack alacritty amarok anki ansible apache2 ardour arduino
  aria2 asciidoctor atop audacity autoconf awscli bacula-server bash bat bc
  bind9 bison bleachbit blender borgbackup brasero btop btrfs-progs buildah
  calibre cassandra castxml ccache celluloid certbot chromium clamav
  clang-14 claws-mail clementine cmake cmus composer conky containerd
  cowsay cppcheck cron cryptsetup cups curl darktable default-jdk dia
  digikam distcc dnsmasq docker.io dosbox dovecot-imapd doxygen duplicity
  eclipse elinks emacs entr etcd-server evince evolution exim4 fail2ban
  fd-find feh ffmpeg filezilla firefox-esr fish flameshot flatpak fluidsynth
  fonts-dejavu fossil freecad freeciv fzf g++ gcc gdb geany geeqie ghc gimp
  git gitk gnome-calculator gnome-shell gnucash gnumeric gnupg gnuplot
  golang-go gparted gpsbabel gqrx-sdr graphviz gthumb guake hexchat
  hledger homebank htop httpie hugin hugo i3 icinga2 imagemagick inkscape
  iotop iperf3 jenkins john jq julia k3b kate kdenlive keepassxc kicad
  kitty kodi konsole krita kubernetes-client ledger leiningen less
  libreoffice libreoffice-calc libreoffice-writer libreoffice-impress
  lighttpd lilypond links2 lmms lynx lyx mariadb-server maxima mc
  memcached mercurial meson minetest mpd mpv mumble munin mutt
  mypaint nano nautilus ncdu neofetch neovim nethack-console newsboat
  nextcloud-desktop nfs-kernel-server nginx ninja-build nmap nodejs nomacs
  obs-studio octave okular openarena openjdk-17-jdk openscad openshot-qt
  openssh-server openttd openvpn opensmtpd pandoc parted pass pavucontrol
  pidgin pinta pitivi podman postfix postgresql powertop privoxy
  prometheus proftpd-core pwgen python3 pypy3 qbittorrent qemu-system-x86
  qgis r-base rabbitmq-server ranger rawtherapee rclone redis-server redshift
  remmina restic rhythmbox ripgrep rkhunter rsync rsyslog rtorrent ruby
  rustc samba sane-utils scala scilab scons screen scribus scummvm shellcheck
  shotwell shotcut simple-scan simplescreenrecorder sigil silversearcher-ag
  smartmontools snapd snort spamassassin sqlite3 sqlitebrowser squid
  stellarium steam stockfish strace subversion suricata supertux
  supertuxkart sway syncthing synaptic tcpdump telegram-desktop tesseract-ocr
  texlive-latex-base thunar thunderbird tig tightvncserver timeshift tmux
  tor transmission-gtk tshark tuxpaint ufw unbound vagrant valgrind
  varnish vim virt-manager virtualbox vlc vorbis-tools w3m warzone2100
  weechat wesnoth wget wine wireguard wireshark xfce4 xterm yt-dlp zabbix-agent
  zathura zim zsh zstd kolourpaint photocollage photoflare tintii
""".split()


def read_source(folder):
  with open(folder / "docs.jsonl", encoding="utf-8") as lines:
    docs = [json.loads(line) for line in lines]
  vectors = np.load(folder / "base.npy")
  queries = np.load(folder / "example_queries.npy")
  texts = (folder / "example_queries.txt").read_text("utf-8").splitlines()
  if len(docs) != len(vectors) or len(texts) != len(queries):
    sys.exit(f"{folder}: texts and vectors differ in number")
  return docs, vectors, queries, texts


def fame(doc):
  """How well known a program is, guessed: people tag what they use."""
  tags = doc["tags"]
  score = len(tags)
  score += 6 * ("role::program" in tags)
  score += 3 * ("interface::graphical" in tags)
  score += 2 * ("scope::application" in tags)
  return score


def pools(docs):
  """Row numbers that may be in: programs, and everything but parts."""
  programs, anything = [], []
  for row, doc in enumerate(docs):
    if doc["name"] in BY_WORDS_ONLY or TRANSITIONAL.search(doc["short"]):
      continue
    name = doc["name"]
    if not re.search(r"(-dev|-docs?|-dbg|-data|-common)$", name):
      anything.append(row)
    if doc["section"] not in BULK_SECTIONS and not PART.search(name):
      programs.append(row)
  return programs, anything


def select(docs, similarity, texts):
  programs, anything = pools(docs)
  chosen, shorts = set(), set()

  def take(row):
    # Several packages share one description; one of them is enough.
    if row in chosen:
      return True
    if docs[row]["short"].lower() in shorts:
      return False
    chosen.add(row)
    shorts.add(docs[row]["short"].lower())
    return True

  famous = set(WELL_KNOWN)
  for row, doc in enumerate(docs):
    if doc["name"] in famous:
      take(row)
  for query, text in enumerate(texts):
    library = text in LIBRARY_QUERIES
    pool = np.array(anything if library else programs)
    wanted = PER_LIBRARY_QUERY if library else PER_QUERY
    taken = 0
    for row in pool[np.argsort(-similarity[query, pool], kind="stable")]:
      taken += take(int(row))
      if taken == wanted:
        break
  sections = {}
  for row in chosen:
    section = docs[row]["section"]
    sections[section] = sections.get(section, 0) + 1
  for row in sorted(programs, key=lambda r: (-fame(docs[r]), r)):
    if len(chosen) >= COUNT:
      break
    section = docs[row]["section"]
    if row not in chosen and sections.get(section, 0) < SECTION_MAX:
      if take(row):
        sections[section] = sections.get(section, 0) + 1
  return sorted(chosen, key=lambda r: docs[r]["name"])


def write(folder, docs, vectors, queries, texts, rows):
  folder.mkdir(exist_ok=True)
  with open(folder / "packages.jsonl", "w", encoding="utf-8") as out:
    for number, row in enumerate(rows):
      doc = docs[row]
      record = {
          "id": number,
          "name": doc["name"],
          "version": doc["version"],
          "section": doc["section"],
          "description": doc["short"],
          "size": doc["size"],
          "installed_kb": doc["installed_kb"],
          "depends": doc["n_depends"],
          "tags": doc["tags"],
      }
      out.write(json.dumps(record, ensure_ascii=False) + "\n")
  np.save(folder / "packages.npy", np.ascontiguousarray(vectors[rows]))
  np.save(folder / "queries.npy", np.ascontiguousarray(queries))
  (folder / "queries.txt").write_text("\n".join(texts) + "\n", "utf-8")


def look(docs, similarity, texts, rows, step):
  rows = np.array(rows)
  programs, _ = pools(docs)
  programs = np.array(programs)
  held_1 = held_5 = 0
  for query, text in enumerate(texts):
    here = rows[np.argsort(-similarity[query, rows], kind="stable")[:5]]
    full = programs[np.argsort(-similarity[query, programs],
                               kind="stable")[:5]]
    floor = similarity[query, here] >= similarity[query, full] - 1e-6
    held_1 += bool(floor[0])
    held_5 += int(np.sum(np.isin(
        [docs[r]["short"].lower() for r in full],
        [docs[r]["short"].lower() for r in here])))
    if query % step:
      continue
    print(f"## {text}")
    for row in here:
      print(f"   {similarity[query, row]:.3f} {docs[row]['name']}: "
            f"{docs[row]['short']} [{docs[row]['section']}]")
  print(f"best program of the full set is in: {held_1}/{len(texts)} queries; "
        f"of its best five: {held_5 / (5 * len(texts)):.3f}")


def main():
  parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
  parser.add_argument("--source", type=pathlib.Path, required=True,
                      help="folder of the full set")
  parser.add_argument("--out", type=pathlib.Path,
                      default=pathlib.Path(__file__).parent.parent / "demo")
  parser.add_argument("--look", action="store_true",
                      help="print answers, write nothing")
  parser.add_argument("--step", type=int, default=10,
                      help="with --look: print every STEP-th query")
  options = parser.parse_args()
  docs, vectors, queries, texts = read_source(options.source)
  similarity = queries.astype(np.float32) @ vectors.astype(np.float32).T
  rows = select(docs, similarity, texts)
  if options.look:
    look(docs, similarity, texts, rows, options.step)
  else:
    write(options.out, docs, vectors, queries, texts, rows)
    print(f"{len(rows)} packages, {len(texts)} queries in {options.out}")


if __name__ == "__main__":
  main()
