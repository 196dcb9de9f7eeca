/**
 * What a form shows, rendered as content that nobody vouches for: it may come from outside.
 */
import type { IRenderMime, IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { MimeModel } from '@jupyterlab/rendermime';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { Panel } from '@lumino/widgets';

export const DISPLAY_MIME = 'application/vnd.jupyter-workflows.display+json';

/** Renders the bundle that it is given, without trust whatever its surroundings have. */
class DisplayRenderer extends Panel implements IRenderMime.IRenderer {
  constructor(private readonly _rendermime: IRenderMimeRegistry) {
    super();
    this.addClass('jp-Workflows-formDisplay');
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const content = model.data[DISPLAY_MIME] as { data?: ReadonlyPartialJSONObject } | undefined;
    const data = content?.data ?? {};
    const mime = this._rendermime.preferredMimeType(data, 'any');
    if (mime === undefined) {
      return;
    }
    const renderer = this._rendermime.createRenderer(mime);
    this.addWidget(renderer);
    await renderer.renderModel(new MimeModel({ data: data, trusted: false }));
  }
}

export function addDisplayRenderer(rendermime: IRenderMimeRegistry): void {
  rendermime.addFactory(
    {
      safe: true,
      mimeTypes: [DISPLAY_MIME],
      defaultRank: -100,
      createRenderer: () => new DisplayRenderer(rendermime)
    },
    -100
  );
}
