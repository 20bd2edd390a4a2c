import sys
from pathlib import Path
import cv2
from studio.canvas import Canvas, spot
from studio import head, features, hair, clothes, look as looks

def main(name):
    lk = getattr(looks, name.upper())
    c = Canvas()
    c.pixels[:] = lk.background[1]
    c.paint(lk.background[0], spot(0,0,380,420))
    face = head.face_mask(lk)
    if name=="ada": hair.paint_bob_back(c, lk)
    head.paint_neck(c, lk);
    clothes.paint_sweater(c, lk, 316 if name=="ada" else 322)
    if name=="omar": clothes.paint_shirt_collar(c, lk)
    head.paint_ears(c, lk); head.paint_face(c, lk)
    features.paint_nostrils(c, lk);
    if name=="omar": hair.paint_beard(c, lk)
    features.paint_eyes(c, lk); features.paint_brows(c, lk); features.paint_mouth(c, lk)
    if name=="ada": hair.paint_bob(c, lk, face)
    else: hair.paint_crop(c, lk, face)
    cv2.imwrite(f"/work/lab/examples/{name}.png", c.finish()[..., ::-1])
import time
for n in ("ada","omar"):
    t=time.time(); main(n); print(n, time.time()-t)
