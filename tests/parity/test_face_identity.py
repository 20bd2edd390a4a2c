"""Our run of the face network against OpenCV's own (`cv2.FaceRecognizerSF`), which also cuts the face out itself."""

import cv2
import numpy as np

from omnihuman.evaluation.face_identity import aligned_crop
from omnihuman.perception.face import FaceLandmarks
from tests.tiny import POINTS
from tests.unit.perception.drawn_face import draw_face


def test_vector_and_crop_agree_with_opencv(hub, model_handle):
    lend = model_handle("face-identity")
    (path,) = (p for name, p in hub.ensure("face-identity").items() if name.endswith(".onnx"))
    theirs = cv2.FaceRecognizerSF.create(str(path), "")
    face, mesh = draw_face(), np.load(POINTS).astype(np.float32)
    with lend() as ours:
        vector = ours.embed(face, FaceLandmarks.from_points(mesh, 0.9))
    crop = aligned_crop(face, mesh)
    expected = theirs.feature(np.ascontiguousarray(crop[..., ::-1]))[0]
    np.testing.assert_allclose(vector, expected, atol=2e-3 * np.abs(expected).max())
    five = np.array(
        [mesh[[33, 133], :2].mean(0), mesh[[362, 263], :2].mean(0), mesh[4, :2], mesh[61, :2], mesh[291, :2]]
    )
    row = np.concatenate([[0, 0, 512, 512], five.ravel(), [1.0]]).astype(np.float32)[None]
    cut = theirs.alignCrop(np.ascontiguousarray(face[..., ::-1]), row)[..., ::-1]
    # They do not smooth before they shrink; places agree, fine texture need not.
    assert np.abs(cut.astype(float) - crop).mean() < 8
