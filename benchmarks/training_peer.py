"""TRL's SFTTrainer with PEFT on the same weights and tokens; run by `training.py` in an environment of its own.

    python training_peer.py CONFIG.json RESULT.json

The weights come from the same GGUF file through transformers; examples come as ids with the mask of what is learned,
so that both train on exactly the same.
"""

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig, TrainerCallback
from trl import SFTConfig, SFTTrainer

LAYERS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


class Losses(TrainerCallback):
    """The loss of each step."""

    def __init__(self) -> None:
        self.found: list[float] = []

    def on_log(self, *_: Any, logs: dict[str, float] | None = None, **__: Any) -> None:
        """One more."""
        if logs and "loss" in logs:
            self.found.append(logs["loss"])


def main() -> None:
    config = json.loads(Path(sys.argv[1]).read_text())
    torch.set_num_threads(config["threads"])
    base = Path(config["base"])
    model = AutoModelForCausalLM.from_pretrained(
        base.parent,
        gguf_file=base.name,
        dtype=torch.bfloat16,
        quantization_config=GgufConfig(dequantize=True),
    )
    tokenizer = AutoTokenizer.from_pretrained(base.parent, gguf_file=base.name)
    h = config["hyperparameters"]
    dataset = Dataset.from_list(
        [{"input_ids": one["tokens"], "completion_mask": one["trained"]} for one in config["examples"]]
    )
    arguments = SFTConfig(
        output_dir=config["output"],
        per_device_train_batch_size=config["at_once"],
        gradient_accumulation_steps=h["batch_size"] // config["at_once"],
        num_train_epochs=h["epochs"],
        learning_rate=h["learning_rate"],
        lr_scheduler_type="cosine",
        warmup_steps=h["warmup_ratio"],
        weight_decay=h["weight_decay"],
        max_grad_norm=h["max_gradient_norm"],
        max_length=h["max_tokens"],
        packing=config["packing"],
        completion_only_loss=True,
        gradient_checkpointing=False,
        bf16=True,
        use_cpu=True,
        optim="adamw_torch",
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        seed=h["seed"],
        dataloader_pin_memory=False,
    )
    losses = Losses()
    trainer = SFTTrainer(
        model=model,
        args=arguments,
        train_dataset=dataset,
        processing_class=tokenizer,
        peft_config=LoraConfig(
            r=h["rank"], lora_alpha=h["alpha"], lora_dropout=0.0, target_modules=LAYERS, task_type="CAUSAL_LM"
        ),
        callbacks=[losses],
    )
    begun, processor_begun = time.monotonic(), time.process_time()
    trainer.train()
    seconds, processor_seconds = time.monotonic() - begun, time.process_time() - processor_begun
    trainer.save_model(config["output"])
    result = {
        "seconds": seconds,
        "processor_seconds": processor_seconds,
        "losses": losses.found,
        "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "adapter_bytes": (Path(config["output"]) / "adapter_model.safetensors").stat().st_size,
    }
    Path(sys.argv[2]).write_text(json.dumps(result))


if __name__ == "__main__":
    main()
