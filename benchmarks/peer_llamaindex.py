"""LlamaIndex's own retrieval-augmented generation, in a process and an environment of its own.

Run by `peer.py`, never by hand: it reads one JSON object a line and answers each with one. Imports nothing of ours.
Defaults of the library everywhere: readers by file ending, sentence splitter (1,024 tokens, 20 overlapping),
in-memory vector store, two passages, its prompt. Given to it: our embedding model, told apart for questions and
passages as that model wants it, and our engine.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import httpx
from llama_index.core import Settings, SimpleDirectoryReader, VectorStoreIndex
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.llms.openai_like import OpenAILike
from pydantic import PrivateAttr

_ANSWER_TOKENS = 8
"""Only the first is timed. The rest is read too: an answer that is dropped may lock the client's connection pool when
it is collected."""


class EndpointEmbedding(BaseEmbedding):
    """Embeddings of an OpenAI-compatible endpoint that tells questions from passages."""

    _client: httpx.Client = PrivateAttr()

    def __init__(self, url: str, key: str, model: str) -> None:
        super().__init__(model_name=model)
        self._client = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=600, trust_env=False
        )

    def _embed(self, texts: list[str], kind: str) -> list[list[float]]:
        body = {"model": self.model_name, "input": texts, "input_type": kind, "encoding_format": "float"}
        answer = self._client.post("/embeddings", json=body)
        answer.raise_for_status()
        return [row["embedding"] for row in answer.json()["data"]]

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._embed([query], "query")[0]

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._embed([text], "passage")[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return self._embed(texts, "passage")


class Peer:
    """The peer's index over one folder."""

    def __init__(self, config: dict[str, Any]) -> None:
        Settings.embed_model = EndpointEmbedding(config["url"], config["key"], config["embedding_model"])
        Settings.llm = OpenAILike(
            model=config["model"],
            api_base=config["url"],
            api_key=config["key"],
            is_chat_model=True,
            context_window=config["context_tokens"],
            max_tokens=_ANSWER_TOKENS,
            timeout=600,
        )
        self._index: Any = None

    def ingest(self, folder: str) -> dict[str, Any]:
        """Read, cut and embed everything in the folder."""
        began = time.perf_counter()
        documents = SimpleDirectoryReader(folder, recursive=True).load_data()
        self._index = VectorStoreIndex.from_documents(documents)
        seconds = time.perf_counter() - began
        return {
            "seconds": seconds,
            "files": len({document.metadata["file_path"] for document in documents}),
            "passages": len(self._index.index_struct.nodes_dict),
        }

    def find(self, question: str, limit: int, folder: str) -> dict[str, Any]:
        """The files of the best passages, best first, as many as asked and as many as it takes by default."""
        found = self._index.as_retriever(similarity_top_k=limit).retrieve(question)
        default = self._index.as_retriever().similarity_top_k
        names = [str(Path(node.node.metadata["file_path"]).relative_to(folder)) for node in found]
        return {"sources": names, "default_passages": default}

    def first_token(self, question: str) -> dict[str, Any]:
        """Seconds from the question to the first word of the answer."""
        began = time.perf_counter()
        answer = self._index.as_query_engine(streaming=True).query(question)
        seconds = None
        for token in answer.response_gen:
            if token and seconds is None:
                seconds = time.perf_counter() - began
        return {"seconds": seconds}


def main() -> None:
    """Answer requests until stdin ends; what the library prints goes to stderr."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    peer = Peer(json.loads(sys.stdin.readline()))
    replies.write('{"ready": true}\n')
    replies.flush()
    for line in sys.stdin:
        request = json.loads(line)
        result = getattr(peer, request.pop("do"))(**request)
        replies.write(json.dumps(result) + "\n")
        replies.flush()


if __name__ == "__main__":
    main()
