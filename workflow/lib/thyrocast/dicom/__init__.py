"""Nuclear-medicine DICOM: headers, an index of a folder, the meaning of frames, pixels.

Sections are those of DICOM PS3.3 (Information Object Definitions) unless named otherwise.
"""
