"""Rows for the main job: 20 columns, seeded. generate.py ROWS FOLDER"""
import os
import random
import sys


def main(rows, folder):
    os.makedirs(folder, exist_ok=True)
    rng = random.Random(11)
    with open(os.path.join(folder, "regions.csv"), "w") as file:
        file.write("region,population,wealth\n")
        for i in range(50):
            file.write(f"r{i:02d},{rng.randrange(10_000, 9_000_000)},{rng.gauss(0, 1):.4f}\n")
    with open(os.path.join(folder, "events.csv"), "w") as file:
        file.write("id,region,plan,channel,device,age,tenure,visits,clicks,spend,score_a,score_b,"
                   "score_c,score_d,ratio,balance,calls,errors,since,bought\n")
        gauss, uniform, choice, randrange = rng.gauss, rng.random, rng.choice, rng.randrange
        plans, channels = ["basic", "plus", "pro", "team"], ["web", "app", "shop", "phone", "mail"]
        devices = ["ios", "android", "windows", "mac", "linux", "other"]
        for i in range(rows):
            a, b, c = gauss(0, 1), gauss(0, 1), gauss(0, 1)
            plan, age, tenure = choice(plans), randrange(18, 90), randrange(0, 120)
            spend = abs(gauss(50, 30))
            z = 0.8 * a - 0.5 * b + (plan == "pro") * 0.7 - 0.01 * tenure + 0.004 * spend + 0.6 * gauss(0, 1) - 0.8
            missing = "" if uniform() < 0.05 else f"{c:.5f}"
            file.write(f"{i},r{randrange(50):02d},{plan},{choice(channels)},{choice(devices)},{age},{tenure},"
                       f"{randrange(0, 400)},{randrange(0, 90)},{spend:.2f},{a:.5f},{b:.5f},{missing},"
                       f"{gauss(0, 1):.5f},{uniform():.5f},{gauss(1000, 400):.2f},{randrange(0, 9)},"
                       f"{randrange(0, 4)},2024-{randrange(1, 13):02d}-{randrange(1, 29):02d},"
                       f"{1 if z > 0 else 0}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
