"""./dev fuzz: libFuzzer on one target, starting from the corpus in git."""
from dev import build, packages, shell


def main(target: str, seconds: int) -> None:
    packages.setup("test")
    build.build("fuzz", [f"{target}_fuzz"])
    found = build.folder("fuzz") / "found" / target
    found.mkdir(parents=True, exist_ok=True)
    corpus = shell.ROOT / "fuzz" / "corpus" / target
    print(f"New inputs and crashes go to {found}; copy what is worth replaying into {corpus}.", flush=True)
    shell.run([build.folder("fuzz") / f"{target}_fuzz", f"-max_total_time={seconds}", "-print_final_stats=1",
               f"-artifact_prefix={found}/", found, corpus])
