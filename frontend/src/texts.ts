// Every text of the page that a person reads, ready for translation: one whole sentence or label per
// entry, a function where a number or a name stands in it. No other file holds words for people
// (tests/texts.test.ts), and nothing here says left, right, above or below.
//
// A translation is another object of this shape, its LANGUAGE and DIRECTION. "{key}" and the like
// mark where the page puts an element (`withParts` in dom.ts).

export const LANGUAGE = "en";
export const DIRECTION = "ltr";

const plurals = new Intl.PluralRules(LANGUAGE);

/** The form that a count asks for; Arabic has six of them, English two. */
function counted(
  count: number,
  forms: { other: string } & Partial<Record<Intl.LDMLPluralRule, string>>,
): string {
  return forms[plurals.select(count)] ?? forms.other;
}

export const texts = {
  page: {
    title: "Aftermap workbench",
    titleOf: (caseName: string) => `${caseName} · Aftermap`,
    loading: "Opening the case…",
    needsScript: "The workbench needs JavaScript.",
    needsWebGl2:
      "This browser does not support WebGL 2, which the map requires. Use a current version of Firefox, Chromium or Safari with hardware acceleration enabled.",
    serverSilent: "The server is not responding. Check that aftermap serve is still running.",
    map: "Map",
    sidePanel: "Side panel",
    views: "Views",
    tools: "Measuring and 3D tools",
    cursor: "Position at the cursor",
    cursorHint: "Move the cursor over the map to read coordinates and height.",
    runInProgress: "A run is in progress. The map shows the previous results.",
    runEnded: "A new run has finished.",
    loadNewRun: "Load the new results",
  },

  common: {
    save: "Save",
    cancel: "Cancel",
    close: "Close",
    notKnown: "not known",
    unknown: "?",
  },

  views: {
    everywhere: "All views",
    map: "Map",
    buildings: "Buildings",
    footage: "Footage",
    place: "Locate clip",
    compare: "Compare",
    totals: "Totals",
  },

  grades: {
    none: "No visible damage",
    light: "Light",
    moderate: "Moderate",
    severe: "Severe",
    destroyed: "Destroyed",
    notAssessed: "Not assessed",
  },

  /** What a height is measured from, by the code of its datum. */
  datums: {
    ellipsoid: "above the ellipsoid",
    geoid: "above the geoid",
    barometric: "barometric",
    takeoff_relative: "above the take-off point",
    ground: "above the ground below the cameras",
    control: "datum of the control points",
    local: "local datum",
    unknown: "datum not known",
  } as Record<string, string>,

  /** By eighths of a turn, clockwise from north. */
  compass: ["N", "NE", "E", "SE", "S", "SW", "W", "NW"],

  saving: {
    allSaved: "All saved",
    saving: (count: number) =>
      counted(count, { one: `Saving ${count} grade`, other: `Saving ${count} grades` }),
    waiting: (count: number, reason: string) =>
      counted(count, {
        one: `${count} grade not saved yet: ${reason}`,
        other: `${count} grades not saved yet: ${reason}`,
      }),
    waitingFor: (reviewers: string) => `waiting for ${reviewers} to sign in again`,
    refused: (reason: string) => `Not saved: ${reason}`,
  },

  reviewer: {
    blind: "Blind review",
    blindHint: "Model grades and the grades of other reviewers are not sent to this browser.",
    showTitle: "Show model grades?",
    showHint:
      "From then on your grades are recorded as not blind, for good, and totals leave them out. Grade the sample first.",
    show: "Show model grades",
    wasShown: "not blind",
    wasShownHint:
      "Model grades were shown to you. Your grades are recorded as not blind, and totals leave them out.",
    enterName: "Enter your name",
    name: "Your name",
    nameTitle: "Reviewer name",
    nameHint: "Your grades are recorded under this name. A pseudonym is fine.",
    nameFirst: "Enter your name first.",
    invite: "Invite",
    inviteHint: "Create a single-use link for another reviewer",
    inviteTitle: "Single-use link",
    inviteLink: "Link",
    copyLink: "Copy",
  },

  theme: { light: "Light", dark: "Dark" },

  shortcuts: {
    title: "Shortcuts",
    hint: "Select a shortcut, then press the new key. Press Esc to close.",
    reset: "Reset shortcuts",
    press: "Press a key",
    taken: (action: string) => `This key is already assigned to: ${action}`,
    change: (key: string, action: string) => `${key}, shortcut for: ${action}`,
    space: "Space",
    escape: "Esc",
  },

  actions: {
    toggleLayers: "Toggle layers",
    toggleGrades: "Toggle building grades",
    zoomToExtent: "Zoom to extent",
    toggle3d: "Toggle 3D view",
    distance: "Measure distance",
    area: "Measure area",
    profile: "Measure height profile",
    endMeasuring: "Stop measuring",
    toggleGrey: "Toggle greyscale images",
    toggleBlur: "Toggle blurring of graphic images",
    toggleTheme: "Toggle dark theme",
    shortcuts: "Show shortcuts",
    grade: (grade: string) => `Grade: ${grade}`,
    notAssessed: "Mark as not assessed",
    nextBuilding: "Next building",
    previousBuilding: "Previous building",
    note: "Add a note",
    undoGrade: "Undo my last grade of this building",
    playBackwards: "Play backwards",
    pause: "Pause",
    play: "Play; press again to play faster",
    previousFrame: "Previous frame",
    nextFrame: "Next frame",
    backTenFrames: "Back 10 frames",
    onTenFrames: "Forward 10 frames",
    toggleGraphic: "Toggle graphic mark",
    reveal: "Show the blurred image",
    follow: "Follow the footprint on the map",
    undoClick: "Undo the last click",
    saveCamera: "Save the camera",
    otherLayer: "Switch layers",
    swipe: "Swipe",
    sideBySide: "Side by side",
    blink: "Blink",
  },

  cursor: {
    zoom: (level: string) => `zoom ${level}`,
    noHeight: "no height",
    height: (height: string, datum: string) => `${height} (${datum})`,
    eastNorth: (crs: string, east: string, north: string) => `${crs} ${east} E ${north} N`,
    agreeing: (count: number) =>
      counted(count, {
        one: `${count} photograph agrees`,
        other: `${count} photographs agree`,
      }),
    filled: "filled, not measured",
  },

  layers: {
    title: "Layers",
    basemap: "Base map",
    before: "Pre-event imagery",
    orthophoto: "Orthophoto",
    relief: "Shaded relief",
    confidence: "Image overlap",
    photo_footprints: "Photograph footprints",
    clip_footprints: "Clip footprints",
    tracks: "Camera paths",
    cameras: "Camera positions",
    streets: "Street trafficability",
    buildings: "Building grades",
    opacityOf: (layer: string) => `Opacity of ${layer}`,
    withoutPlace:
      "This case is not georeferenced: it is drawn at 0°, 0° and its scale is arbitrary.",
    missingInRun: (reason: string) => `${reason} (a run is in progress)`,
    noBuildings:
      "This case has no graded buildings. Run aftermap assess with building footprints to grade them.",
    ownStreets:
      "No street lines were given: these are centre lines of the space between buildings, not known streets.",
    truck: "Passable by truck",
    car: "Passable by car",
    impassable: "Impassable",
    notSeen: "Not seen",
    twoAgree: "2 photographs",
    manyAgree: "12+ photographs",
    filled: "Filled, not measured",
    heightWithDatum: (height: string, datum: string) => `${height} (${datum})`,
    path: "Camera path",
    perSecond: "Ground seen in one second of video",
    perPhotograph: "Ground seen in one photograph",
    mapped: "Used in the map",
    placedOnly: "Located, not used in the map",
  },

  solid: {
    tool: "3D",
    noMesh:
      "This case has no 3D mesh. Run aftermap map to build one; it needs enough measured surface.",
    cannotShow: (reason: string) => `3D view not available: ${reason}`,
    loading: (size: string) => `Loading the 3D mesh (${size})`,
  },

  measure: {
    distance: "Distance",
    area: "Area",
    profile: "Profile",
    hintArea: "Click each corner. Double-click to close the area.",
    hintLine: "Click each point of the line. Double-click to finish.",
    perimeter: "Perimeter",
    length: "Length",
    again: "Measure again",
    measured: "Measured",
    filled: "Filled, not measured (dashed)",
    noHeight: "No height",
    noneKnown: "No height is known along this line.",
    chart: (low: string, high: string, length: string) =>
      `Height profile from ${low} m to ${high} m over ${length} m`,
    chartWithFilled: (low: string, high: string, length: string) =>
      `Height profile from ${low} m to ${high} m over ${length} m; dashed where filled, not measured`,
  },

  review: {
    sort: {
      uncertainty: "Most uncertain first",
      sample: "Sample order",
      double: "For a second reviewer",
      area: "Largest first",
      grade: "Most severe first",
    },
    order: "Order of the queue",
    grade: "Grade",
    noBuildings: "No buildings",
    noBuildingsHint:
      "This case has no graded buildings. To grade them, provide a file of building footprints:",
    assessCommand: (caseName: string) =>
      `aftermap assess ${caseName} --footprints footprints.geojson`,
    whyNotAssessed: "Why is the building not assessed?",
    otherReason: "Another reason",
    note: "Note",
    noteWaits: "The note will be saved with your grade of this building.",
    undoneToNothing: "Undone. You have no grade for this building.",
    undoneTo: (grade: string) => `Undone. Your grade is again: ${grade}`,
    queueEmpty: "No more buildings in this queue.",
    building: "Building {id}",
    previous: "Previous",
    next: "Next",
    progress: (at: number, all: number, graded: number) =>
      counted(all, {
        one: `${at} of ${all} building, ${graded} graded by you`,
        other: `${at} of ${all} buildings, ${graded} graded by you`,
      }),
    onlyOpen: "Ungraded only",
    noSample:
      "No sample has been drawn (run aftermap sample). Buildings are in the order of the footprint file.",
    noPictures:
      "No images have been extracted for this building. aftermap assess extracts them for buildings in the sample or selected by ID.",
    heightProfile: "Height profile through the centre of the building",
    model: "Model grade",
    hiddenBlind: "Hidden during blind review.",
    forTwo: "To be graded by two reviewers",
    blinding: {
      blind: "blind",
      declared_blind: "declared blind",
      not_blind: "not blind",
    } as Record<string, string>,
    blindingNotKnown: "not known to be blind",
    confidence: (grade: string, percent: string) => `${grade}, confidence ${percent}`,
    worseImagery: {
      oblique_photographs:
        "Seen in oblique photographs only, which makes this grade less reliable.",
      video: "Seen in video or a single photograph only, which makes this grade less reliable.",
    } as Record<string, string>,
    reasonsFor: "Evidence for this grade",
    reasonsAgainst: "Evidence against it",
    reviewers: "Reviewers",
    undo: "Undo",
    withdrawn: "Grade withdrawn",
    waitingNote: "Note waiting for your grade: {note}",
    nobodyYet: "No reviewer has graded this building yet.",
  },

  totals: {
    title: "Totals of damaged buildings",
    hint: "Estimated from the blind grades of the sample. Model grades and accepted grades are not counted. Quote a sentence, not a number alone.",
    estimating: "Estimating...",
    assumeAlike: "Go on without sampled buildings that are not reviewed",
    withUnblinded: "Count grades not known to be blind",
    columns: {
      class: "Class",
      estimate: "Estimate",
      interval: "95 % interval",
      bounds: "At least to at most",
      without_grade: "Sampled without a grade",
      of: "Of buildings",
      differing: "Accepted grade differs",
      reviewer_error: "Reviewer error",
      reviewers: "Reviewers and agreement",
      method: "Method",
    },
    sentence: "Sentence",
    copy: "Copy",
    copyOf: (name: string) => `Copy the sentence on ${name}`,
    copied: "The sentence is copied.",
  },

  evidence: {
    kinds: {
      view: "Image of the building from the footage",
      orthophoto: "Orthophoto of the building",
      profile: "Height profile of the building",
    } as Record<string, string>,
    enlarge: "Enlarge",
    image: "Image",
    graphic: "Marked as graphic. Click to show.",
    distance: (distance: string) => `${distance} away`,
    from: (direction: string) => `seen from ${direction}`,
    occluded: (percent: string) => `${percent} occluded`,
    gsd: (centimetres: string) => `GSD ${centimetres} cm`,
    orthophoto: "Orthophoto",
    openOriginal: "Open the original",
    measurements: (count: number) => `Measurements (${count})`,
    footprintArea: "footprint area",
  },

  /** Measures of a building by their column, as on its evidence sheet. */
  measures: {
    apron_fraction: "rubble within 5 m",
    apron_height_m: "rubble height within 5 m",
    apron_sides: "sides with rubble (of 4)",
    bare_fraction: "footprint bare at ground level",
    before_correlation: "correlation with pre-event image",
    before_height_m: "pre-event height above ground",
    before_loss_m: "height loss since pre-event surface",
    before_lost_fraction: "footprint lower than pre-event surface",
    below_half_fraction: "footprint below half height",
    broken_excess_log2: "broken texture beside whole roofs (log₂)",
    broken_fraction: "footprint with broken texture",
    broken_texture: "non-uniform texture patterns",
    contrast: "local contrast",
    dark_fraction: "roof image dark (soot or shade)",
    dark_hole_count: "number of dark holes in the image",
    dark_hole_m2: "dark holes in the image",
    deepest_m: "depth of the lowest 2 % of the roof",
    dust_fraction: "footprint with dust colour",
    edge_entropy: "edge direction entropy (0–1)",
    edge_excess_log2: "image edges beside whole roofs (log₂)",
    edge_fraction: "footprint on image edges",
    edge_loss_fraction: "roof missing at its edge",
    empty_fraction: "footprint without data",
    fallen_fraction: "footprint collapsed to near ground",
    filled_fraction: "footprint filled, not measured",
    gradient_isotropy: "gradient isotropy (0–1)",
    height_loss_fraction: "height loss (pre-event or storeys)",
    height_m: "median height above ground",
    height_spread_fraction: "height spread",
    hole_count: "number of holes in the roof",
    hole_fraction: "holes in the roof",
    hole_probability: "probability of the likeliest hole",
    hole_probability_excess: "hole probability beside whole roofs",
    hole_width_m: "widest hole in the roof",
    largest_plane_fraction: "roof on the largest plane",
    low_fraction: "roof over 1 m below its plane",
    lower_plane_fraction: "roof on planes a storey lower",
    measured_fraction: "footprint measured",
    neighbour_height_fraction: "height relative to neighbours",
    normal_entropy: "roof normal entropy (0–1)",
    photographs: "median number of agreeing photographs",
    plane_count: "number of roof planes",
    plane_fraction: "roof on planes",
    plane_residual_m: "roof plane residual",
    ragged_loss_fraction: "roof missing at its edge, ragged",
    raised_fraction: "roof over 0.5 m above its plane",
    residual_excess_log2: "plane residual beside whole roofs (log₂)",
    roof_height_m: "roof height above ground",
    rough_excess_log2: "rough share beside whole roofs (log₂)",
    rough_fraction: "roof rougher than 0.2 m",
    roughness_excess_log2: "roughness beside whole roofs (log₂)",
    roughness_m: "roof roughness",
    standing_fraction: "roof on planes at roof height",
    sunk_beside_fraction: "broken texture and low beside neighbours",
    sunk_fraction: "broken texture and low above ground",
    texture_excess_log2: "ragged texture beside whole roofs (log₂)",
    walls_fraction: "outline where over 2.2 m stands",
    whole_fraction: "roof on planes with intact texture",
  } as Record<string, string>,

  footage: {
    clipGone: "This clip is no longer in the case.",
    photographGone: "This photograph is no longer in the case.",
    clip: (name: string) => `Clip ${name}`,
    photograph: (name: string) => `Photograph ${name}`,
    fullSize: "Full size",
    timeNotKnown: "time not known",
    markedGraphic: "Marked as graphic",
    unmarkedGraphic: "Graphic mark removed",
    graphic: "graphic",
    graphicBlurred: "Graphic images are blurred",
    graphicShown: "Graphic images are shown",
    reveal: "Marked as graphic. Show",
    following: "The map follows the footprint",
    notFollowing: "The map no longer follows the footprint",
    noPose: "no camera pose at this moment",
    shot: (number: number) => `shot ${number}`,
    ce90: (radius: string) => `CE90 ${radius}`,
    offNadir: (angle: string) => `${angle} off nadir`,
    gsd: (centimetres: string) => `GSD ${centimetres} cm`,
    sources: {
      reconstruction: "reconstruction",
      registered: "registered to the map",
      resected: "located by hand",
      telemetry: "telemetry",
    } as Record<string, string>,
    makingCopy: "A playable copy is being made.",
    makingCopyLabel: "Making a playable copy",
    cannotPlay: "Browsers cannot play this clip in its original format.",
    cannotPlayHere: "This browser cannot play the clip. Make a playable copy.",
    copyFailed: "The playable copy could not be made.",
    makeCopy: (size: string, duration: string) => `Make a playable copy (${size}, ${duration})`,
    clickHint: "Click the map to list the footage that shows that point, best view first.",
    clips: (count: number) => `Clips (${count})`,
    photographs: (count: number) => `Photographs (${count})`,
    clipColumns: ["Clip", "Length", "Located", "Method", "CE90"],
    notPlaced: "no",
    noClips: "This case has no clips.",
    noPhotographs: "This case has no photographs.",
    searching: "Searching…",
    viewsOfPoint: (count: number) =>
      count === 0
        ? "No views of this point"
        : counted(count, {
            one: `${count} view of this point`,
            other: `${count} views of this point`,
          }),
    allFootage: "All footage",
    viewColumns: ["Footage", "Best", "GSD (cm)", "Off nadir", "Seen from", "Occluded", "CE90"],
    span: (from: string, to: string) => `${from} to ${to}`,
    photographTime: "photo",
    atEdge: "at the edge",
    notSeenHint: "No footage in this case shows this point. This says nothing about its condition.",
    more: (count: number) => counted(count, { one: `${count} more`, other: `${count} more` }),
  },

  player: {
    time: "Position in the clip",
    back: "Back",
    pause: "Pause",
    play: "Play",
    position: (time: string, frame: number, frames: number) =>
      `${time} · frame ${frame} of ${frames}`,
  },

  place: {
    title: "Locate clip",
    clip: "Clip to locate",
    noSurface: "This case has no surface to click on. Run aftermap map on its photographs first.",
    noClips: "This case has no clips.",
    nothingToSave: "There is no camera to save yet.",
    saved: "Saved. The camera pose is being tracked through the shot.",
    failed: (clip: string, reason: string) => `${clip}: ${reason}`,
    failedWithout: "locating failed",
    done: (clip: string, lines: string) => `${clip}: located. ${lines}`,
    solving: "Computing the camera pose.",
    clickMap: "Now click the same point on the map.",
    clickPicture: "Now click the same point in the frame.",
    pairsNeeded: (count: number) =>
      counted(count, {
        one: `${count} more point pair needed. Click a point in the frame, then on the map. Use roofs as well as ground, spread over the frame.`,
        other: `${count} more point pairs needed. Click a point in the frame, then on the map. Use roofs as well as ground, spread over the frame.`,
      }),
    morePairs: "More pairs improve the result. Outliers are shown in red.",
    otherMoments: (count: number) =>
      counted(count, {
        one: `${count} point pair at another moment of this clip is kept as well.`,
        other: `${count} point pairs at other moments of this clip are kept as well.`,
      }),
    undo: "Undo",
    facts: {
      ce90: "CE90",
      camera: "Camera position",
      sigma: "Standard deviation",
      focal: "Focal length",
      residuals: "Residuals",
    },
    noGround: "no ground at the frame centre",
    camera: (lat: string, lon: string, height: string) => `${lat}, ${lon}, height ${height}`,
    sigma: (east: string, north: string, up: string) => `${east} east, ${north} north, ${up} up`,
    focal: (found: string, sigma: string, prior: string) =>
      `${found} ± ${sigma} px (prior ${prior} px)`,
    residuals: (sigma: string) => `${sigma} px (1 sigma)`,
    columns: ["Pair", "Residual (px)", "Leave-one-out residual (px)", "Height (m)", ""],
    filled: (height: string) => `${height} (filled)`,
    remove: "Remove",
    removePair: (number: number, time: string) => `Remove pair ${number} at ${time}`,
  },

  compare: {
    title: "Compare",
    onlyOne:
      "There is only one image layer. Set before in aftermap.toml to a pre-event orthophoto, or run aftermap map.",
    first: "First layer",
    second: "Second layer",
    outlines: "Building outlines",
    blinking: "Layers alternate automatically. Press {key} to switch.",
  },

  /** What MapLibre's own controls say. */
  mapControls: {
    "Map.Title": "Map",
    "NavigationControl.ResetBearing": "Drag to rotate the map, click to face north",
    "NavigationControl.ZoomIn": "Zoom in",
    "NavigationControl.ZoomOut": "Zoom out",
    "ScaleControl.Meters": "m",
    "ScaleControl.Kilometers": "km",
  },
};
