"""A face drawn by code: the only person whose landmarks the tests may keep."""

import cv2
import numpy as np

SIZE = 512


def draw_face(lip_gap_px=0):
    """RGB `512 512 3`: a shaded head with hair, neck and shoulders; the lips stand `lip_gap_px` apart."""
    picture = np.full((SIZE, SIZE, 3), (170, 190, 200), np.uint8)
    _ellipse(picture, (256, 250), (150, 180), (60, 40, 30))
    _ellipse(picture, (256, 520), (210, 110), (70, 90, 150))
    cv2.rectangle(picture, (206, 360), (306, 450), (205, 160, 135), -1)
    _ellipse(picture, (256, 275), (120, 152), (226, 182, 156))
    _ellipse(picture, (256, 150), (118, 62), (60, 40, 30))
    for side in (-1, 1):
        _eye(picture, 256 + side * 50, 255)
        cv2.ellipse(picture, (256 + side * 50, 228), (32, 14), 0, 200, 340, (70, 45, 35), 7, cv2.LINE_8)
        _ellipse(picture, (256 + side * 62, 312), (24, 16), (228, 168, 148))
        _ellipse(picture, (256 + side * 13, 322), (6, 4), (150, 95, 80))
    cv2.polylines(picture, [np.array([(246, 262), (240, 308), (256, 326), (272, 308)])], False, (196, 146, 122), 4)
    _mouth(picture, 366, lip_gap_px)
    return cv2.GaussianBlur(picture, (0, 0), 1.6)


def _ellipse(picture, centre, axes, colour):
    cv2.ellipse(picture, centre, axes, 0, 0, 360, colour, -1, cv2.LINE_8)


def _eye(picture, x, y):
    _ellipse(picture, (x, y), (25, 12), (245, 243, 240))
    mask = np.zeros(picture.shape[:2], np.uint8)
    cv2.ellipse(mask, (x, y), (25, 12), 0, 0, 360, 1, -1, cv2.LINE_8)
    iris = picture.copy()
    _ellipse(iris, (x, y - 1), (12, 12), (80, 110, 80))
    _ellipse(iris, (x, y - 1), (6, 6), (15, 15, 15))
    picture[mask > 0] = iris[mask > 0]
    cv2.ellipse(picture, (x, y), (26, 13), 0, 185, 355, (50, 30, 25), 3, cv2.LINE_8)


def _mouth(picture, y, gap):
    upper = np.array([(206, y), (232, y - 12), (249, y - 15), (256, y - 12), (263, y - 15), (280, y - 12), (306, y)])
    lower = np.array([(306, y), (282, y + 17), (256, y + 22), (230, y + 17), (206, y)])
    lower[1:-1, 1] += gap
    cv2.fillPoly(picture, [np.concatenate([upper, lower])], (186, 84, 84))
    if gap:
        _ellipse(picture, (256, y + gap // 2), (40, gap // 2), (60, 20, 25))
    else:
        cv2.polylines(picture, [np.array([(206, y), (256, y + 2), (306, y)])], False, (120, 45, 50), 3)
